//! Words of the API that are words of the program too.

/// An enumeration of the API with the words of one of the program, each way from one to the other. The default comes
/// first.
macro_rules! words {
    ($(#[$doc:meta])* $theirs:path as $name:ident, $case:literal, $default:ident, $($word:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = $case)]
        pub(super) enum $name {
            $($word),+
            , #[default] $default
        }

        impl From<$name> for $theirs {
            fn from(word: $name) -> Self {
                match word {
                    $name::$default => Self::$default,
                    $($name::$word => Self::$word),+
                }
            }
        }

        impl From<$theirs> for $name {
            fn from(word: $theirs) -> Self {
                // A path is no place to name a variant of; an alias is.
                type Theirs = $theirs;
                match word {
                    Theirs::$default => Self::$default,
                    $(Theirs::$word => Self::$word),+
                }
            }
        }
    };
}

pub(super) use words;
