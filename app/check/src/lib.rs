//! The check of a registration file, as `public/check-worker.js` drives it: the script reads the file, and pushes what
//! it reads. A module of its own, so that the page is not loaded a second time, and does not carry the reader itself.

use muster_domain::Check;
use wasm_bindgen::prelude::*;

/// A check of one file.
#[wasm_bindgen]
pub struct FileCheck {
    check: Check,
    /// Where each piece is copied to; so no piece needs memory of its own.
    piece: Vec<u8>,
}

#[wasm_bindgen]
impl FileCheck {
    /// A check of a file that comes in pieces of at most so many bytes, read as these `muster_domain::ReadOptions` in
    /// Postcard say. It may list all problems.
    ///
    /// # Errors
    /// If they are no options: the page is of another version than its worker.
    #[wasm_bindgen(constructor)]
    pub fn new(piece_bytes: usize, options: &[u8], lists_problems: bool) -> Result<Self, JsValue> {
        let options = postcard::from_bytes(options).map_err(|failed| js_sys::Error::new(&failed.to_string()))?;
        let check = if lists_problems { Check::listing_problems(options) } else { Check::with_options(options) };
        Ok(Self { check, piece: vec![0; piece_bytes] })
    }

    /// Checks the next piece, and returns whether more is wanted.
    ///
    /// # Errors
    /// If the piece is larger than was said.
    pub fn push(&mut self, piece: &js_sys::Uint8Array) -> Result<bool, JsValue> {
        let too_large = || js_sys::Error::new("A piece of the file is larger than expected.");
        let copy = self.piece.get_mut(..piece.length() as usize).ok_or_else(too_large)?;
        piece.copy_to(copy);
        self.check.push(copy);
        Ok(!self.check.has_ended())
    }

    /// Ends the check, and gives the `muster_domain::CheckReport` as Postcard.
    ///
    /// # Errors
    /// An `Error` with a sentence, which no file brings about.
    pub fn finish(self) -> Result<Vec<u8>, JsValue> {
        postcard::to_allocvec(&self.check.finish()).map_err(|failed| js_sys::Error::new(&failed.to_string()).into())
    }

    /// Ends a check that lists all problems, and gives `problems.csv`.
    pub fn problems_csv(self) -> Vec<u8> {
        self.check.finish_with_problems().1
    }
}
