//! Characters that look like one of a device name's and are another, or cannot be seen: what each is called.
//!
//! The table has what reaches files in practice: letters of keyboards that were switched, dashes and spaces that
//! word processors put in, and marks that come along when text is copied. Names are Unicode's.

use std::borrow::Cow;

/// What a character is called; and the ASCII character that it looks like, a space for one that cannot be told from
/// it, or `None` if it cannot be seen at all.
pub(crate) fn named(character: char) -> Option<(Cow<'static, str>, Option<char>)> {
    if let '\u{ff01}'..='\u{ff5e}' = character {
        let like = char::from_u32(u32::from(character) - 0xfee0)?;
        return Some((format!("fullwidth {like}").into(), Some(like)));
    }
    if let '\u{2066}'..='\u{2069}' | '\u{202a}'..='\u{202e}' = character {
        return Some(("mark of text direction".into(), None));
    }
    for (prefix, letters) in [
        ("Cyrillic capital letter ", CYRILLIC_CAPITALS),
        ("Cyrillic small letter ", CYRILLIC_SMALL),
        ("Greek capital letter ", GREEK_CAPITALS),
        ("Greek small letter ", GREEK_SMALL),
    ] {
        if let Some((_, like, name)) = letters.iter().find(|(it, ..)| *it == character) {
            return Some((format!("{prefix}{name}").into(), Some(*like)));
        }
    }
    let (_, like, name) = OTHERS.iter().find(|(it, ..)| *it == character)?;
    Some(((*name).into(), *like))
}

const CYRILLIC_CAPITALS: &[(char, char, &str)] = &[
    ('А', 'A', "A"),
    ('В', 'B', "VE"),
    ('Е', 'E', "IE"),
    ('З', '3', "ZE"),
    ('К', 'K', "KA"),
    ('М', 'M', "EM"),
    ('Н', 'H', "EN"),
    ('О', 'O', "O"),
    ('Р', 'P', "ER"),
    ('С', 'C', "ES"),
    ('Т', 'T', "TE"),
    ('У', 'Y', "U"),
    ('Х', 'X', "HA"),
    ('Ѕ', 'S', "DZE"),
    ('І', 'I', "BYELORUSSIAN-UKRAINIAN I"),
    ('Ј', 'J', "JE"),
    ('Ү', 'Y', "STRAIGHT U"),
    ('Ӏ', 'I', "PALOCHKA"),
    ('Ԛ', 'Q', "QA"),
    ('Ԝ', 'W', "WE"),
];

const CYRILLIC_SMALL: &[(char, char, &str)] = &[
    ('а', 'a', "A"),
    ('б', '6', "BE"),
    ('е', 'e', "IE"),
    ('к', 'k', "KA"),
    ('о', 'o', "O"),
    ('р', 'p', "ER"),
    ('с', 'c', "ES"),
    ('у', 'y', "U"),
    ('х', 'x', "HA"),
    ('ѕ', 's', "DZE"),
    ('і', 'i', "BYELORUSSIAN-UKRAINIAN I"),
    ('ј', 'j', "JE"),
    ('һ', 'h', "SHHA"),
    ('ӏ', 'l', "PALOCHKA"),
    ('ԁ', 'd', "KOMI DE"),
    ('ԛ', 'q', "QA"),
    ('ԝ', 'w', "WE"),
];

const GREEK_CAPITALS: &[(char, char, &str)] = &[
    ('Α', 'A', "ALPHA"),
    ('Β', 'B', "BETA"),
    ('Ε', 'E', "EPSILON"),
    ('Ζ', 'Z', "ZETA"),
    ('Η', 'H', "ETA"),
    ('Ι', 'I', "IOTA"),
    ('Κ', 'K', "KAPPA"),
    ('Μ', 'M', "MU"),
    ('Ν', 'N', "NU"),
    ('Ο', 'O', "OMICRON"),
    ('Ρ', 'P', "RHO"),
    ('Τ', 'T', "TAU"),
    ('Υ', 'Y', "UPSILON"),
    ('Χ', 'X', "CHI"),
];

const GREEK_SMALL: &[(char, char, &str)] = &[
    ('α', 'a', "ALPHA"),
    ('γ', 'y', "GAMMA"),
    ('ι', 'i', "IOTA"),
    ('κ', 'k', "KAPPA"),
    ('ν', 'v', "NU"),
    ('ο', 'o', "OMICRON"),
    ('ρ', 'p', "RHO"),
    ('υ', 'u', "UPSILON"),
];

const OTHERS: &[(char, Option<char>, &str)] = &[
    ('ı', Some('i'), "Latin small letter dotless I"),
    ('ɑ', Some('a'), "Latin small letter alpha"),
    ('ɡ', Some('g'), "Latin small letter script G"),
    ('օ', Some('o'), "Armenian small letter OH"),
    ('\u{212a}', Some('K'), "Kelvin sign"),
    ('\u{2010}', Some('-'), "hyphen"),
    ('\u{2011}', Some('-'), "non-breaking hyphen"),
    ('\u{2012}', Some('-'), "figure dash"),
    ('\u{2013}', Some('-'), "en dash"),
    ('\u{2014}', Some('-'), "em dash"),
    ('\u{2015}', Some('-'), "horizontal bar"),
    ('\u{2212}', Some('-'), "minus sign"),
    ('\u{fe63}', Some('-'), "small hyphen-minus"),
    ('\u{30fc}', Some('-'), "prolonged sound mark"),
    ('\u{b7}', Some('.'), "middle dot"),
    ('\u{2024}', Some('.'), "one dot leader"),
    ('\u{2236}', Some(':'), "ratio"),
    ('\u{2d0}', Some(':'), "modifier letter triangular colon"),
    ('\u{a789}', Some(':'), "modifier letter colon"),
    ('\u{fe55}', Some(':'), "small colon"),
    ('\u{2018}', Some('\''), "left single quotation mark"),
    ('\u{2019}', Some('\''), "right single quotation mark"),
    ('\u{201c}', Some('"'), "left double quotation mark"),
    ('\u{201d}', Some('"'), "right double quotation mark"),
    ('\u{201e}', Some('"'), "double low-9 quotation mark"),
    ('\u{a0}', Some(' '), "no-break space"),
    ('\u{2002}', Some(' '), "en space"),
    ('\u{2003}', Some(' '), "em space"),
    ('\u{2007}', Some(' '), "figure space"),
    ('\u{2008}', Some(' '), "punctuation space"),
    ('\u{2009}', Some(' '), "thin space"),
    ('\u{200a}', Some(' '), "hair space"),
    ('\u{202f}', Some(' '), "narrow no-break space"),
    ('\u{205f}', Some(' '), "medium mathematical space"),
    ('\u{3000}', Some(' '), "ideographic space"),
    ('\u{ad}', None, "soft hyphen"),
    ('\u{61c}', None, "Arabic letter mark"),
    ('\u{180e}', None, "Mongolian vowel separator"),
    ('\u{200b}', None, "zero width space"),
    ('\u{200c}', None, "zero width non-joiner"),
    ('\u{200d}', None, "zero width joiner"),
    ('\u{200e}', None, "left-to-right mark"),
    ('\u{200f}', None, "right-to-left mark"),
    ('\u{2060}', None, "word joiner"),
    ('\u{feff}', None, "zero width no-break space"),
];
