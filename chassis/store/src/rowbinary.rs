//! Rows in the format `RowBinary`: the fields one after the other, integers little-endian, strings and lists with their
//! length in LEB128 before them.
//!
//! The client library has the same inside, for its own statement only. A [fenced insert](crate::Store::insert_fenced)
//! brings a statement of its own, so the rows have to be written here. `RowBinary` does not say what it holds: the first
//! row of each insert is compared with the columns' types, so that a program that is older or newer than its tables is
//! told so.

use bytes::{BufMut as _, BytesMut};
use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple};

use crate::columns::{Column, plain_type};

/// A row that does not fit its table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misfit {
    /// A field of another type than its column.
    #[error("the field for column {column} is {given}, the column is {wanted}")]
    Type {
        /// The column.
        column: String,
        /// What was written.
        given: &'static str,
        /// Its type in the table.
        wanted: String,
    },
    /// A kind of value that no column takes.
    #[error("{0} cannot stand in a row")]
    Unknown(&'static str),
    /// What a field's own serialisation says.
    #[error("{0}")]
    Field(String),
}

impl ser::Error for Misfit {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self::Field(text.to_string())
    }
}

/// Writes a row that has been compared with its table before.
pub(crate) fn write<R: Serialize>(row: &R, out: &mut BytesMut) -> Result<(), Misfit> {
    row.serialize(&mut Encoder { out, columns: None, within: "" })
}

/// Writes a row, comparing each field with its column.
pub(crate) fn write_compared<R: Serialize>(
    row: &R,
    columns: &[Column],
    out: &mut BytesMut,
) -> Result<(), Misfit> {
    row.serialize(&mut Encoder { out, columns: Some(columns.iter()), within: "" })
}

struct Encoder<'a> {
    out: &'a mut BytesMut,
    /// The columns that have not been written, where they are compared.
    columns: Option<std::slice::Iter<'a, Column>>,
    /// The type that comes next, where it is compared; empty where it is not.
    within: &'a str,
}

impl Encoder<'_> {
    fn length(&mut self, length: usize) {
        let mut rest = length;
        while rest >= 0x80 {
            self.out.put_u8((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.out.put_u8(rest as u8);
    }

    fn compare(&self, given: &'static str, taken: &[&str]) -> Result<(), Misfit> {
        let head = self.within.split('(').next().unwrap_or_default();
        if self.within.is_empty() || taken.contains(&head) {
            return Ok(());
        }
        Err(Misfit::Type { column: String::new(), given, wanted: self.within.to_owned() })
    }
}

/// A number: how it is written, and what columns take it.
macro_rules! number {
    ($method:ident, $type:ty, $put:ident, $($column:literal),+) => {
        fn $method(self, value: $type) -> Result<(), Misfit> {
            self.compare(stringify!($type), &[$($column),+])?;
            self.out.$put(value);
            Ok(())
        }
    };
}

impl ser::Serializer for &mut Encoder<'_> {
    type Ok = ();
    type Error = Misfit;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeStruct = Self;
    type SerializeTupleStruct = Impossible<(), Misfit>;
    type SerializeTupleVariant = Impossible<(), Misfit>;
    type SerializeMap = Self;
    type SerializeStructVariant = Impossible<(), Misfit>;

    number!(serialize_i8, i8, put_i8, "Int8");
    number!(serialize_i16, i16, put_i16_le, "Int16");
    number!(serialize_i32, i32, put_i32_le, "Int32", "DateTime", "Date32");
    number!(serialize_i64, i64, put_i64_le, "Int64", "DateTime64");
    number!(serialize_i128, i128, put_i128_le, "Int128");
    number!(serialize_u8, u8, put_u8, "UInt8", "Bool", "IPv6");
    number!(serialize_u16, u16, put_u16_le, "UInt16", "Date");
    number!(serialize_u32, u32, put_u32_le, "UInt32", "DateTime", "IPv4");
    number!(serialize_u64, u64, put_u64_le, "UInt64");
    number!(serialize_u128, u128, put_u128_le, "UInt128");
    number!(serialize_f32, f32, put_f32_le, "Float32");
    number!(serialize_f64, f64, put_f64_le, "Float64");

    fn serialize_bool(self, value: bool) -> Result<(), Misfit> {
        self.compare("bool", &["Bool", "UInt8"])?;
        self.out.put_u8(u8::from(value));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Misfit> {
        self.compare("text", &["String"])?;
        self.length(value.len());
        self.out.put_slice(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Misfit> {
        self.compare("bytes", &["String"])?;
        self.length(value.len());
        self.out.put_slice(value);
        Ok(())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Misfit> {
        self.compare("a list", &["Array"])?;
        self.within = self.within.strip_prefix("Array(").and_then(|of| of.strip_suffix(')')).unwrap_or("");
        self.within = plain_type(self.within);
        self.length(length.ok_or(Misfit::Unknown("a list of unknown length"))?);
        Ok(self)
    }

    /// An address: its octets, without a length.
    fn serialize_tuple(self, _length: usize) -> Result<Self, Misfit> {
        self.compare("octets", &["IPv6", "FixedString"])?;
        Ok(self)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, Misfit> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Misfit> {
        Err(Misfit::Unknown("an absent value"))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _value: &T) -> Result<(), Misfit> {
        Err(Misfit::Unknown("an optional value"))
    }

    fn serialize_char(self, _value: char) -> Result<(), Misfit> {
        Err(Misfit::Unknown("a character"))
    }

    fn serialize_unit(self) -> Result<(), Misfit> {
        Err(Misfit::Unknown("nothing"))
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Misfit> {
        Err(Misfit::Unknown("nothing"))
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
    ) -> Result<(), Misfit> {
        Err(Misfit::Unknown("a variant"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Misfit> {
        Err(Misfit::Unknown("a variant"))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleStruct, Misfit> {
        Err(Misfit::Unknown("a tuple"))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, Misfit> {
        Err(Misfit::Unknown("a variant"))
    }

    /// A list of keys and values in turn.
    fn serialize_map(self, length: Option<usize>) -> Result<Self, Misfit> {
        self.compare("a map", &["Map"])?;
        self.within = self.within.strip_prefix("Map(").and_then(|of| of.strip_suffix(')')).unwrap_or("");
        self.length(length.ok_or(Misfit::Unknown("a map of unknown length"))?);
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, Misfit> {
        Err(Misfit::Unknown("a variant"))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl SerializeSeq for &mut Encoder<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}

impl SerializeMap for &mut Encoder<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Misfit> {
        let both = self.within;
        self.within = plain_type(both.split_once(", ").map_or("", |(key, _)| key));
        let written = key.serialize(&mut **self);
        self.within = both;
        written
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        let both = self.within;
        self.within = plain_type(both.split_once(", ").map_or("", |(_, value)| value));
        let written = value.serialize(&mut **self);
        self.within = both;
        written
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}

impl SerializeTuple for &mut Encoder<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}

impl SerializeStruct for &mut Encoder<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        let Some(columns) = &mut self.columns else { return value.serialize(&mut **self) };
        let column = columns.next().ok_or(Misfit::Unknown("more fields than columns"))?;
        self.within = plain_type(&column.kind);
        value.serialize(&mut **self).map_err(|misfit| match misfit {
            Misfit::Type { given, wanted, .. } => Misfit::Type { column: name.to_owned(), given, wanted },
            misfit => misfit,
        })
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[derive(Serialize)]
    struct Sample {
        name: &'static str,
        address: Ipv6Addr,
        vlans: Vec<u16>,
        hosts: Vec<String>,
        at: i64,
        guessed: bool,
    }

    fn sample() -> Sample {
        Sample {
            name: "ct",
            address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
            vlans: vec![258],
            hosts: vec!["a".repeat(130)],
            at: -2,
            guessed: true,
        }
    }

    fn columns(kinds: [&str; 6]) -> Vec<Column> {
        let names = ["name", "address", "vlans", "hosts", "at", "guessed"];
        let each = names.iter().zip(kinds);
        each.map(|(name, kind)| Column { name: (*name).into(), kind: kind.into() }).collect()
    }

    const FITTING: [&str; 6] = [
        "LowCardinality(String)",
        "IPv6",
        "Array(UInt16)",
        "Array(LowCardinality(String))",
        "SimpleAggregateFunction(max, DateTime64(9, 'UTC'))",
        "Bool",
    ];

    /// The layout is that of ClickHouse's documentation of the format.
    #[test]
    fn a_row_is_its_fields_one_after_the_other() {
        let mut out = BytesMut::new();
        write_compared(&sample(), &columns(FITTING), &mut out).expect("it fits");
        let mut expected = vec![2, b'c', b't', 0xfe, 0x80];
        expected.extend([0; 13]);
        expected.push(1);
        expected.extend([1, 2, 1]);
        expected.extend([1, 130, 1]);
        expected.extend([b'a'; 130]);
        expected.extend((-2_i64).to_le_bytes());
        expected.push(1);
        assert_eq!(out.as_ref(), expected);
        let mut unchecked = BytesMut::new();
        write(&sample(), &mut unchecked).expect("it is written");
        assert_eq!(unchecked, out);
    }

    #[test]
    fn a_field_that_does_not_fit_its_column_is_named() {
        for (index, kind) in [(0, "UInt8"), (1, "IPv4"), (2, "Array(UInt32)"), (3, "String"), (4, "UInt64")] {
            let mut kinds = FITTING;
            kinds[index] = kind;
            let misfit = write_compared(&sample(), &columns(kinds), &mut BytesMut::new());
            let text = misfit.expect_err("it does not fit").to_string();
            assert!(text.contains(["name", "address", "vlans", "hosts", "at"][index]), "{text}");
        }
    }

    #[derive(Serialize)]
    struct Labelled {
        details: std::collections::BTreeMap<String, u8>,
    }

    #[test]
    fn a_map_is_a_list_of_keys_and_values_in_turn() {
        let details = [("ab".to_owned(), 7), ("c".to_owned(), 8)].into();
        let column = |kind: &str| [Column { name: "details".into(), kind: kind.into() }];
        let row = Labelled { details };
        let mut out = BytesMut::new();
        write_compared(&row, &column("Map(LowCardinality(String), UInt8)"), &mut out).expect("it fits");
        assert_eq!(out.as_ref(), [2, 2, b'a', b'b', 7, 1, b'c', 8]);
        for other in ["Map(UInt64, UInt8)", "Map(String, UInt64)", "Array(String)"] {
            let misfit = write_compared(&row, &column(other), &mut BytesMut::new());
            assert!(misfit.expect_err("it does not fit").to_string().contains("details"), "{other}");
        }
    }
}
