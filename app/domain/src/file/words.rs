//! The words with which people name columns, in English, German, French and Spanish.
//!
//! A header in words that are not Muster's own must never be registered as a device, and the dialog proposes fields
//! for its columns. So this knows the words of the fields, and the usual words for what else is in such files.

use unicode_normalization::char::{canonical_combining_class, decompose_canonical};

use super::field::Field;

/// What a column seems to hold by its name. The number is a rank: of several columns for one field, the one with the
/// lowest rank is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This field.
    Field(Field, u8),
    /// The device group, which is not a column of a registration file.
    Group,
    /// Something else that Muster has no field for.
    Other,
    /// Devices, but not what about them: `Sensor`. It is taken for the device name, though a device may have this
    /// very name.
    Device,
}

/// The longest name of a column that is looked at. It has few words; a cell may have 64 KiB.
const MAX_BYTES: usize = 64;

/// What a cell says if it is the name of a column; `None` if any of its words is not known.
pub(super) fn meaning(cell: &str) -> Option<Meaning> {
    // A cell with another separator in it is a row that was split at the wrong one.
    if cell.len() > MAX_BYTES || cell.contains([';', '\t', ',']) {
        return None;
    }
    // Dots join the parts of model names: `Type.Model` is one. Only in abbreviations they do not.
    let whole = folded(cell);
    let parts = if is_dotted(cell) {
        Some(whole).filter(|word| ABBREVIATIONS.contains(&word.as_str())).into_iter().collect()
    } else if word_of(&whole).is_some() {
        // `S/N`, `DevEUI`
        vec![whole]
    } else {
        split(cell)
    };
    let mut words = Vec::new();
    for word in parts {
        match word_of(&word)? {
            Word::Filler => {}
            word => words.push(word),
        }
    }
    let has = |word| words.contains(&word);
    let rank = |word, rank| has(word).then_some(rank);
    if has(Word::Group) {
        Some(Meaning::Group)
    } else if has(Word::Tier) {
        Some(Meaning::Field(Field::PricingTier, 0))
    } else if has(Word::Description) {
        Some(Meaning::Field(Field::Description, 0))
    } else if has(Word::Model) {
        Some(Meaning::Field(Field::ModelName, u8::from(!has(Word::Device))))
    } else if has(Word::Label) {
        Some(Meaning::Field(Field::FriendlyName, 0))
    } else if has(Word::Device) && has(Word::Name) {
        Some(Meaning::Field(Field::DeviceName, 0))
    } else if has(Word::Other) {
        Some(Meaning::Other)
    } else if let Some(rank) =
        rank(Word::Name, 1).or(rank(Word::Id, 2)).or(rank(Word::Serial, 3)).or(rank(Word::Number, 4))
    {
        Some(Meaning::Field(Field::DeviceName, rank))
    } else {
        has(Word::Device).then_some(Meaning::Device)
    }
}

/// Whether a dot is between two characters, as in a model name with parts.
pub(super) fn is_dotted(cell: &str) -> bool {
    cell.trim_matches('.').contains('.')
}

/// Abbreviations with a dot inside, without their dots.
const ABBREVIATIONS: [&str; 8] = ["sno", "serno", "sernr", "seriennr", "artnr", "geratenr", "invnr", "partno"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Device,
    Name,
    Id,
    Serial,
    Number,
    Model,
    Label,
    Description,
    Tier,
    Group,
    Other,
    /// Says nothing by itself: `of`.
    Filler,
}

/// In lower case and without accents, as [`folded`] gives them.
const WORDS: &[(Word, &str)] = &[
    (
        Word::Device,
        "device devices sensor sensors asset machine equipment unit thing gateway meter endpoint node tracker \
         modem gerat gerats gerate geraet geraete anlage maschine zahler fuhler appareil appareils dispositif \
         peripherique capteur machines equipement compteur dispositivo dispositivos aparato equipo maquina",
    ),
    (Word::Name, "name names namen hostname nom noms nombre nombres nome naam devicename"),
    (
        Word::Id,
        "id ids ident identifier identification identity uid uuid guid imei iccid mac eui deveui tag key kennung \
         schlussel identifiant identificador clave deviceid sensorid",
    ),
    (Word::Serial, "serial serials sn sno serno sernr seriennummer seriennr serie matricule serialnumber serialno"),
    (Word::Number, "number numbers no nr num nbr nummer numero nº n"),
    (
        Word::Model,
        "model models modelname type types product class modell modelle typ typen typenbezeichnung gerateart art \
         bauart produkt modele modeles produit classe gamme modelo modelos modello tipo tipos producto clase devicetype",
    ),
    (
        Word::Label,
        "label labels friendly display alias title caption nickname bezeichnung anzeigename titel klarname libelle \
         titre designation intitule surnom etiqueta titulo denominacion amigable descriptivo convivial usuel",
    ),
    (
        Word::Description,
        "description descriptions desc note notes comment comments remark remarks details beschreibung bemerkung \
         bemerkungen kommentar notiz notizen hinweis remarque remarques commentaire commentaires descripcion \
         nota notas comentario comentarios observacion observaciones detalle",
    ),
    (
        Word::Tier,
        "tier tiers pricing plan tarif preisstufe stufe forfait tarification tarifaire niveau tarifa nivel precios",
    ),
    (Word::Group, "group groups gruppe gruppen groupe groupes grupo grupos"),
    (
        Word::Other,
        "location site place room building floor hall area zone region city country address street line error batch lot category \
         date time timestamp created updated delivered delivery installed installation owner customer client \
         vendor manufacturer brand make supplier status state version firmware fw hardware hw software sw ip port \
         phone sim email user username password secret token latitude longitude lat lon lng order article sku \
         price currency quantity qty project department cost center position warranty file url active enabled \
         standort ort raum gebaude etage halle bereich gebiet stadt land adresse strasse charge los datum zeit \
         geliefert lieferung lieferdatum inbetriebnahme einbau besitzer kunde hersteller lieferant zustand \
         bestellung artikel artnr invnr partno preis prix precio menge projekt abteilung kostenstelle kategorie baujahr \
         emplacement lieu salle batiment ville pays rue livraison livre proprietaire fabricant fournisseur etat categorie \
         commande quantite projet service \
         ubicacion lugar sala edificio piso ciudad pais direccion calle lote fecha hora entrega propietario cliente \
         fabricante proveedor estado categoria pedido cantidad proyecto",
    ),
    (Word::Filler, "of the de du des del la le les el los das der die l d required optional pflicht requis"),
];

/// German joins its words, and people join those of other languages: the first part of one, and what may follow it.
const JOINED_FIRST: &[(Word, &str)] = &[
    (Word::Device, "gerate gerat geraete geraet device sensor maschinen anlagen zahler asset gateway equipment node"),
    (Word::Serial, "serien serial"),
    (Word::Model, "modell model typen typ type produkt product"),
    (Word::Group, "gruppen group"),
    (Word::Tier, "tarif preis pricing"),
    (Word::Label, "anzeige display friendly"),
    (Word::Other, "artikel kunden inventar raum standort liefer bestell hersteller customer vendor site location"),
];
const JOINED_LAST: &[(Word, &str)] = &[
    (Word::Name, "name namen bezeichnung"),
    (Word::Id, "id kennung uid code schlussel tag"),
    (Word::Number, "nummer nr number no num"),
    (Word::Model, "modell model typ type art"),
    (Word::Description, "beschreibung description"),
    (Word::Group, "gruppe gruppen group"),
    (Word::Tier, "stufe klasse kategorie tarif tier plan"),
    (Word::Other, "datum date ort"),
];

fn word_of(word: &str) -> Option<Word> {
    let find = |list: &[(Word, &str)], text: &str| {
        list.iter().find(|(_, words)| words.split(' ').any(|it| it == text)).map(|(word, _)| *word)
    };
    find(WORDS, word).or_else(|| {
        let (at, _) = word
            .char_indices()
            .skip(2)
            .find(|&(at, _)| find(JOINED_FIRST, &word[..at]).is_some() && find(JOINED_LAST, &word[at..]).is_some())?;
        let (first, last) = (find(JOINED_FIRST, &word[..at])?, find(JOINED_LAST, &word[at..])?);
        // Its last part says what a word is, its first part of what.
        Some(match (first, last) {
            (Word::Device, Word::Id | Word::Number) => Word::Id,
            (
                first @ (Word::Model | Word::Serial | Word::Group | Word::Tier | Word::Label | Word::Other),
                Word::Name | Word::Id | Word::Number,
            ) => first,
            (_, last) => last,
        })
    })
}

/// The words of a name, folded: parted by what is neither letter nor digit, and where `deviceName` has its capital.
fn split(cell: &str) -> Vec<String> {
    let mut parted = String::with_capacity(cell.len() + 8);
    let mut was_small = false;
    for character in cell.chars() {
        if character.is_uppercase() && was_small {
            parted.push(' ');
        }
        was_small = character.is_lowercase();
        parted.push(character);
    }
    let words = parted.split(|it: char| !it.is_alphanumeric() && !crate::text::is_invisible(it) && !is_mark(it));
    words.map(folded).filter(|word| !word.is_empty()).collect()
}

fn is_mark(character: char) -> bool {
    canonical_combining_class(character) != 0
}

/// In lower case, without accents and whatever cannot be seen or is not a letter or a digit.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        decompose_canonical(character, |it| {
            if it == 'ß' {
                out.push_str("ss");
            } else if it.is_alphanumeric() {
                out.extend(it.to_lowercase());
            }
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_in_other_words() {
        use Field::{Description, DeviceName, FriendlyName, ModelName, PricingTier};
        let field = |field, rank| Some(Meaning::Field(field, rank));
        for (cell, expected) in [
            ("name", field(DeviceName, 1)),
            ("Device ID", field(DeviceName, 2)),
            ("deviceId", field(DeviceName, 2)),
            ("Gerätename", field(DeviceName, 1)),
            ("Gera\u{308}tename", field(DeviceName, 1)),
            ("S/N", field(DeviceName, 3)),
            ("DevEUI", field(DeviceName, 2)),
            ("Geräte-ID", field(DeviceName, 2)),
            ("Gerätenummer", field(DeviceName, 2)),
            ("Nom de l'appareil", field(DeviceName, 0)),
            ("Nom du périphérique", field(DeviceName, 0)),
            ("NOMBRE DEL DISPOSITIVO", field(DeviceName, 0)),
            ("Serial", field(DeviceName, 3)),
            ("Serial No.", field(DeviceName, 3)),
            ("Ser.Nr", field(DeviceName, 3)),
            ("Seriennummer", field(DeviceName, 3)),
            ("Numéro de série", field(DeviceName, 3)),
            ("número de serie", field(DeviceName, 3)),
            ("No.", field(DeviceName, 4)),
            ("IMEI", field(DeviceName, 2)),
            ("model", field(ModelName, 1)),
            ("Type", field(ModelName, 1)),
            ("Device type", field(ModelName, 1)),
            ("Gerätetyp", field(ModelName, 1)),
            ("Modellbezeichnung", field(ModelName, 1)),
            ("Modèle", field(ModelName, 1)),
            ("Tipo de dispositivo", field(ModelName, 0)),
            ("label", field(FriendlyName, 0)),
            ("Bezeichnung", field(FriendlyName, 0)),
            ("Libellé", field(FriendlyName, 0)),
            ("notes", field(Description, 0)),
            ("Beschreibung", field(Description, 0)),
            ("Descripción", field(Description, 0)),
            ("Tarif", field(PricingTier, 0)),
            ("Preisklasse", field(PricingTier, 0)),
            ("Niveau tarifaire", field(PricingTier, 0)),
            ("Nivel de precios", field(PricingTier, 0)),
            ("Device group", Some(Meaning::Group)),
            ("Gerätegruppe", Some(Meaning::Group)),
            ("Sensor", Some(Meaning::Device)),
            ("Standort", Some(Meaning::Other)),
            ("Customer name", Some(Meaning::Other)),
            ("name-1", None),
            ("Serial-7", None),
            ("Type.Model", None),
            ("Pump", None),
            ("Jet 1", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(meaning(cell), expected, "{cell}");
        }
    }
}
