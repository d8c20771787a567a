//! Examines 16 bytes at a time: with SIMD where the browser's WASM has it, elsewhere one by one.

/// The bytes of one vector.
pub(super) const LANES: usize = 16;

/// A set of ASCII bytes.
#[derive(Debug)]
pub(super) struct ByteSet {
    has: [bool; 256],
    /// For each lower half of a byte, a bit for each upper half that goes with it.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    uppers: [u8; LANES],
}

impl ByteSet {
    /// The bytes of a text except one.
    pub(super) const fn of(text: &[u8], without: u8) -> Self {
        let mut has = [false; 256];
        let mut uppers = [0; LANES];
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            if byte.is_ascii() && byte != without {
                has[byte as usize] = true;
                uppers[(byte & 15) as usize] |= 1_u8 << (byte >> 4);
            }
            at += 1;
        }
        Self {
            has,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            uppers,
        }
    }

    /// Whether all these bytes are in the set.
    #[inline]
    pub(super) fn has_all(&self, bytes: &[u8]) -> bool {
        let (blocks, rest) = bytes.as_chunks();
        blocks.iter().all(|block| self.outside(block) == 0)
            // The last bytes, some of them for the second time, unless there are too few.
            && match bytes.last_chunk() {
                Some(last) => self.outside(last) == 0,
                None => rest.iter().all(|&byte| self.has[usize::from(byte)]),
            }
    }

    /// A bit for each byte that is not in the set, the lowest for the first.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    #[inline(always)]
    pub(super) fn outside(&self, block: &[u8; LANES]) -> u16 {
        use core::arch::wasm32::{u8x16, u8x16_bitmask, u8x16_eq, u8x16_shr, u8x16_splat, u8x16_swizzle, v128_and};
        let block = vector(block);
        let uppers = u8x16_swizzle(vector(&self.uppers), v128_and(block, u8x16_splat(15)));
        // What is not ASCII has no bit, and so is in no set.
        let bits = u8x16(1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0);
        let upper = u8x16_swizzle(bits, u8x16_shr(block, 4));
        u8x16_bitmask(u8x16_eq(v128_and(uppers, upper), u8x16_splat(0)))
    }

    /// A bit for each byte that is not in the set, the lowest for the first.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    #[inline]
    pub(super) fn outside(&self, block: &[u8; LANES]) -> u16 {
        block.iter().rev().fold(0, |bits, &byte| bits << 1 | u16::from(!self.has[usize::from(byte)]))
    }
}

/// Becomes one load: reading through a pointer would be unsafe.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
fn vector(bytes: &[u8; LANES]) -> core::arch::wasm32::v128 {
    let bits = u128::from_le_bytes(*bytes);
    core::arch::wasm32::u64x2(bits as u64, (bits >> 64) as u64)
}

/// Whether two short texts are equal; there is nothing to call, as there is for `==`.
#[inline]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    let (words, rest) = a.as_chunks::<8>();
    a.len() == b.len()
        && words.iter().zip(b.as_chunks::<8>().0).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
        && match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
            (Some(a), Some(b)) => u64::from_le_bytes(*a) == u64::from_le_bytes(*b),
            _ => rest.iter().zip(b).all(|(a, b)| a == b),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let set = ByteSet::of(b"\0 az~\x7f-", b'-');
        for byte in 0..=u8::MAX {
            let expected = b"\0 az~\x7f".contains(&byte);
            assert_eq!(set.has[usize::from(byte)], expected, "{byte}");
            for place in 0..40 {
                for len in place + 1..=40 {
                    let mut text = [b'a'; 40];
                    text[place] = byte;
                    assert_eq!(set.has_all(&text[..len]), expected, "{byte} at {place} of {len}");
                }
            }
        }
        assert!(set.has_all(b""));
    }

    #[test]
    fn same_is_equal() {
        let text: Vec<u8> = (0..40).collect();
        for len in 0..=text.len() {
            assert!(same(&text[..len], &text[..len]));
            assert!(len == 0 || !same(&text[..len], &text[..len - 1]));
            for place in 0..len {
                let mut other = text[..len].to_vec();
                other[place] ^= 0x80;
                assert!(!same(&text[..len], &other), "{place} of {len}");
            }
        }
    }
}
