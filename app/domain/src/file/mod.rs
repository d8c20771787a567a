//! The registration file: reading it row by row, and checking all of it.
//!
//! Bytes go in, in pieces of any size; rows and problems come out, the same however the bytes were cut.
//!
//! ```text
//! bytes ─ Reader ─┬─ head      what the file is: text at all? which separator? a fault of all of it? (and `head_rows`)
//!                 ├─ offer     what a person may be asked about its columns
//!                 ├─ scan      where a row ends
//!                 ├─ cells     where its cells are, and what they say
//!                 ├─ header    which column is which field (and `words`, other names of columns)
//!                 ├─ row       the five fields, and what is wrong with them (and `quotes`, `damage`) ─ Sink
//!                 └─ plain     the fast path past all of these, for rows with nothing special (and `simd`)
//!
//! Check = Reader + what a report needs: counts, repeated names, groups of problems, parts ─ CheckReport
//! ```
//!
//! The format is in design.md, *The registration file*. What a quote does is what the `csv` crate makes of it.

mod cells;
mod check;
mod damage;
mod field;
mod groups;
mod head;
mod head_rows;
mod header;
mod layout;
mod listing;
mod models;
mod names;
mod offer;
mod options;
mod plain;
mod problem;
mod quotes;
mod reader;
mod report;
mod row;
mod scan;
mod sentence;
mod simd;
mod words;

pub use check::Check;
pub use field::{Field, FieldSet, Separator, UnknownField};
pub use layout::{Layout, LayoutProblem};
pub use offer::{MappingOffer, OfferedColumn};
pub use options::{Mapping, ReadOptions};
pub use problem::{Cause, ColumnNames, EncodingGuess, Problem};
pub use reader::{Reader, Sink};
pub use report::{CheckReport, Count, PartRange, PreviewRow, ProblemGroup, TierCount};
pub use row::Row;

/// The most devices in one file (design.md).
pub const MAX_DEVICES: u64 = 1_000_000;

/// The most bytes in one file: 256 MiB (design.md). A device's row with all its fields at their limits in ASCII
/// has some 1,700 bytes; a usual one has 85, and a million of these are 85 MB.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// The most bytes in one row, without its line end: 64 KiB.
///
/// A row that can be right has at most 128 + 256 + 4 × (256 + 1,024) + 10 bytes in its fields, about 5.5 kB, or
/// 11 kB if every character is a quote. What is longer has lost its line ends or a closing quote. This is also
/// all that is ever kept of a file while it is read, besides what the report needs.
pub const MAX_ROW_BYTES: usize = 64 * 1024;

/// The most rows in a part, which is uploaded as one unit.
pub const PART_ROWS: u32 = 10_000;

/// The most bytes in such a part, unless one row alone has more: 2 MiB.
pub const PART_BYTES: u64 = 2 * 1024 * 1024;
