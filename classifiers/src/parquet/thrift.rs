//! The little of Thrift's compact protocol that a Parquet footer needs, reading from a slice. Everything it is told about
//! sizes is checked against the bytes that are left, and nothing is allocated.

use crate::limits::PARQUET_DEPTH;
use crate::{ClassifyError, ClassifyErrorKind};

/// A type of the compact protocol, as field and list headers spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireType {
    True,
    False,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List,
    Set,
    Map,
    Struct,
    Uuid,
}

impl WireType {
    fn from_nibble(nibble: u8) -> Result<WireType, ClassifyError> {
        Ok(match nibble {
            1 => WireType::True,
            2 => WireType::False,
            3 => WireType::Byte,
            4 => WireType::I16,
            5 => WireType::I32,
            6 => WireType::I64,
            7 => WireType::Double,
            8 => WireType::Binary,
            9 => WireType::List,
            10 => WireType::Set,
            11 => WireType::Map,
            12 => WireType::Struct,
            13 => WireType::Uuid,
            other => {
                return Err(malformed(&format!(
                    "it uses type {other}, which Thrift does not have"
                )));
            }
        })
    }
}

/// The header of a struct's field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldHeader {
    pub(crate) id: i16,
    pub(crate) wire_type: WireType,
}

pub(crate) fn malformed(what: &str) -> ClassifyError {
    let message = format!("the Parquet footer is corrupt: {what}; write the file again");
    ClassifyError::new(ClassifyErrorKind::Malformed, message)
}

pub(crate) fn too_large(what: &str) -> ClassifyError {
    ClassifyError::new(
        ClassifyErrorKind::TooLarge,
        format!("the Parquet footer goes beyond a limit: {what}"),
    )
}

/// Reads forward through a footer.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    fn byte(&mut self) -> Result<u8, ClassifyError> {
        let (&byte, rest) = self
            .rest
            .split_first()
            .ok_or_else(|| malformed("it ends too early"))?;
        self.rest = rest;
        Ok(byte)
    }

    /// A byte as it is: the protocol does not zigzag those.
    pub(crate) fn raw_byte(&mut self) -> Result<u8, ClassifyError> {
        self.byte()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ClassifyError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| {
            malformed(&format!(
                "it announces {length} bytes where {} are left",
                self.rest.len()
            ))
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, ClassifyError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(malformed("a number is longer than 64 bits"))
    }

    /// A zigzag number.
    pub(crate) fn i64(&mut self) -> Result<i64, ClassifyError> {
        let raw = self.varint()?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, ClassifyError> {
        i32::try_from(self.i64()?).map_err(|_| malformed("a number does not fit 32 bits"))
    }

    pub(crate) fn binary(&mut self) -> Result<&'a [u8], ClassifyError> {
        let length =
            usize::try_from(self.varint()?).map_err(|_| malformed("a text is longer than memory"))?;
        self.take(length)
    }

    /// The next field of a struct, or `None` at its end. `last` is the id of the field before.
    pub(crate) fn field(&mut self, last: &mut i16) -> Result<Option<FieldHeader>, ClassifyError> {
        let header = self.byte()?;
        if header == 0 {
            return Ok(None);
        }
        let wire_type = WireType::from_nibble(header & 0x0f)?;
        let step = i16::from(header >> 4);
        let id = if step > 0 {
            last.checked_add(step)
                .ok_or_else(|| malformed("a field number overflows"))?
        } else {
            i16::try_from(self.i64()?).map_err(|_| malformed("a field number does not fit 16 bits"))?
        };
        *last = id;
        Ok(Some(FieldHeader { id, wire_type }))
    }

    /// The header of a list: how many elements of which type. There are never more than bytes left.
    pub(crate) fn list(&mut self) -> Result<(usize, WireType), ClassifyError> {
        let header = self.byte()?;
        let wire_type = WireType::from_nibble(header & 0x0f)?;
        let size = match header >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        // Every element takes a byte at least.
        match usize::try_from(size) {
            Ok(size) if size <= self.rest.len() => Ok((size, wire_type)),
            _ => Err(malformed(&format!(
                "it announces a list of {size} where {} bytes are left",
                self.rest.len()
            ))),
        }
    }

    /// Passes over a value of a field.
    pub(crate) fn skip(&mut self, wire_type: WireType, depth: usize) -> Result<(), ClassifyError> {
        if depth > PARQUET_DEPTH {
            return Err(too_large(&format!(
                "it nests values more than {PARQUET_DEPTH} deep"
            )));
        }
        match wire_type {
            // The value of a field is in its type.
            WireType::True | WireType::False => {}
            WireType::Byte => drop(self.byte()?),
            WireType::I16 | WireType::I32 | WireType::I64 => drop(self.varint()?),
            WireType::Double => drop(self.take(8)?),
            WireType::Uuid => drop(self.take(16)?),
            WireType::Binary => drop(self.binary()?),
            WireType::List | WireType::Set => {
                let (size, element) = self.list()?;
                for _ in 0..size {
                    self.skip_element(element, depth)?;
                }
            }
            WireType::Map => self.skip_map(depth)?,
            WireType::Struct => {
                let mut last = 0;
                while let Some(field) = self.field(&mut last)? {
                    self.skip(field.wire_type, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// Passes over an element of a list, where booleans are a byte each.
    pub(crate) fn skip_element(&mut self, wire_type: WireType, depth: usize) -> Result<(), ClassifyError> {
        match wire_type {
            WireType::True | WireType::False => self.byte().map(drop),
            other => self.skip(other, depth + 1),
        }
    }

    fn skip_map(&mut self, depth: usize) -> Result<(), ClassifyError> {
        let size = self.varint()?;
        if size == 0 {
            return Ok(());
        }
        if size > self.rest.len() as u64 {
            return Err(malformed(&format!(
                "it announces a map of {size} where {} bytes are left",
                self.rest.len()
            )));
        }
        let types = self.byte()?;
        let (key, value) = (
            WireType::from_nibble(types >> 4)?,
            WireType::from_nibble(types & 0x0f)?,
        );
        for _ in 0..size {
            self.skip_element(key, depth)?;
            self.skip_element(value, depth)?;
        }
        Ok(())
    }
}
