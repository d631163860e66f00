//! Types as text, both ways: `array<struct<a:int>>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{DataType, Field};

/// Deeper types than this are refused, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 200;

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Null if f.alternate() => f.write_str("void"),
            DataType::Null | DataType::String => f.write_str("string"),
            DataType::Boolean => f.write_str("boolean"),
            DataType::TinyInt => f.write_str("tinyint"),
            DataType::SmallInt => f.write_str("smallint"),
            DataType::Int => f.write_str("int"),
            DataType::BigInt => f.write_str("bigint"),
            DataType::Float => f.write_str("float"),
            DataType::Double => f.write_str("double"),
            DataType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            DataType::Binary => f.write_str("binary"),
            DataType::Date => f.write_str("date"),
            DataType::Timestamp => f.write_str("timestamp"),
            DataType::Array(element) => {
                f.write_str("array<")?;
                element.fmt(f)?;
                f.write_str(">")
            }
            DataType::Map(key, value) => {
                f.write_str("map<")?;
                key.fmt(f)?;
                f.write_str(",")?;
                value.fmt(f)?;
                f.write_str(">")
            }
            DataType::Struct(fields) => {
                f.write_str("struct<")?;
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write_name(f, &field.name)?;
                    f.write_str(":")?;
                    field.data_type.fmt(f)?;
                }
                f.write_str(">")
            }
        }
    }
}

/// A name that holds the grammar's own characters goes between backticks, as in Hive.
fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let plain = !name.is_empty() && name.trim() == name && !name.contains([',', ':', '<', '>', '`']);
    if plain {
        f.write_str(name)
    } else {
        write!(f, "`{}`", name.replace('`', "``"))
    }
}

/// Why a text is not a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeTextError {
    message: String,
}

impl fmt::Display for TypeTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TypeTextError {}

impl FromStr for DataType {
    type Err = TypeTextError;

    /// Reads a Hive type. Type words may be in any case; `varchar(n)` and `char(n)` are strings, and `void` is
    /// [`DataType::Null`]. Errors name the place in bytes.
    fn from_str(text: &str) -> Result<Self, TypeTextError> {
        let mut reader = Reader { text, at: 0 };
        let data_type = reader.data_type(0)?;
        reader.blanks();
        if reader.at < text.len() {
            return Err(reader.error("the end of the type"));
        }
        Ok(data_type)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error(&self, wanted: &str) -> TypeTextError {
        let found: String = self.rest().chars().take(20).collect();
        TypeTextError {
            message: format!("expected {wanted} at byte {}, found {found:?}", self.at),
        }
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn expect(&mut self, mark: char) -> Result<(), TypeTextError> {
        if self.take(mark) {
            Ok(())
        } else {
            Err(self.error(&format!("{mark:?}")))
        }
    }

    fn take(&mut self, mark: char) -> bool {
        self.blanks();
        let found = self.rest().starts_with(mark);
        if found {
            self.at += mark.len_utf8();
        }
        found
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType, TypeTextError> {
        if depth > MAX_DEPTH {
            return Err(TypeTextError {
                message: format!("the type is nested more than {MAX_DEPTH} deep"),
            });
        }
        self.blanks();
        let end = self
            .rest()
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest().len());
        let word = self.rest().get(..end).unwrap_or("").to_ascii_lowercase();
        let start = self.at;
        self.at += end;
        Ok(match word.as_str() {
            "void" | "null" => DataType::Null,
            "boolean" => DataType::Boolean,
            "tinyint" | "byte" => DataType::TinyInt,
            "smallint" | "short" => DataType::SmallInt,
            "int" | "integer" => DataType::Int,
            "bigint" | "long" => DataType::BigInt,
            "float" | "real" => DataType::Float,
            "double" => DataType::Double,
            "string" => DataType::String,
            "binary" => DataType::Binary,
            "date" => DataType::Date,
            "timestamp" => DataType::Timestamp,
            "decimal" | "numeric" => self.decimal()?,
            "varchar" | "char" => {
                if self.take('(') {
                    self.number::<u32>()?;
                    self.expect(')')?;
                }
                DataType::String
            }
            "array" => {
                self.expect('<')?;
                let element = self.data_type(depth + 1)?;
                self.expect('>')?;
                DataType::Array(Box::new(element))
            }
            "map" => {
                self.expect('<')?;
                let key = self.data_type(depth + 1)?;
                self.expect(',')?;
                let value = self.data_type(depth + 1)?;
                self.expect('>')?;
                DataType::Map(Box::new(key), Box::new(value))
            }
            "struct" => self.fields(depth)?,
            _ => {
                self.at = start;
                return Err(self.error("a type"));
            }
        })
    }

    fn decimal(&mut self) -> Result<DataType, TypeTextError> {
        // Hive's own defaults.
        let (mut precision, mut scale) = (10, 0);
        if self.take('(') {
            precision = self.number()?;
            if self.take(',') {
                scale = self.number()?;
            }
            self.expect(')')?;
        }
        if precision == 0 || precision > 38 || scale > precision {
            let message = format!("decimal({precision},{scale}) is outside 1 to 38 digits");
            return Err(TypeTextError { message });
        }
        Ok(DataType::Decimal { precision, scale })
    }

    fn number<N: FromStr>(&mut self) -> Result<N, TypeTextError> {
        self.blanks();
        let end = self
            .rest()
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest().len());
        let number = self.rest().get(..end).and_then(|digits| digits.parse().ok());
        let number = number.ok_or_else(|| self.error("a number"))?;
        self.at += end;
        Ok(number)
    }

    fn fields(&mut self, depth: usize) -> Result<DataType, TypeTextError> {
        self.expect('<')?;
        let mut fields = Vec::new();
        if self.take('>') {
            return Ok(DataType::Struct(fields));
        }
        loop {
            let name = self.name()?;
            self.expect(':')?;
            let data_type = self.data_type(depth + 1)?;
            fields.push(Field { name, data_type });
            if self.take('>') {
                return Ok(DataType::Struct(fields));
            }
            self.expect(',')?;
        }
    }

    fn name(&mut self) -> Result<String, TypeTextError> {
        if !self.take('`') {
            let end = self
                .rest()
                .find([',', ':', '<', '>', '`'])
                .unwrap_or(self.rest().len());
            let name = self.rest().get(..end).unwrap_or("").trim().to_owned();
            if name.is_empty() {
                return Err(self.error("a field name"));
            }
            self.at += end;
            return Ok(name);
        }
        let mut name = String::new();
        loop {
            let Some(end) = self.rest().find('`') else {
                return Err(self.error("a closing backtick"));
            };
            name.push_str(self.rest().get(..end).unwrap_or(""));
            self.at += end + 1;
            if !self.rest().starts_with('`') {
                return Ok(name);
            }
            name.push('`');
            self.at += 1;
        }
    }
}

impl Serialize for DataType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:#}"))
    }
}

impl<'de> Deserialize<'de> for DataType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
