//! Pages of a list: how much is asked for, and where the next page starts.

/// The most items a page may hold.
pub const MAX_LIMIT: u32 = 1000;

/// Which page of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items at the most, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// The key that the previous page ended with: the page starts behind it.
    pub after: Option<String>,
}

impl PageRequest {
    /// The first page of at most `limit` items; a limit outside 1 to [`MAX_LIMIT`] is brought inside.
    pub fn first(limit: u32) -> Self {
        Self::new(limit, None)
    }

    /// The page behind `after`.
    pub fn new(limit: u32, after: Option<String>) -> Self {
        Self {
            limit: limit.clamp(1, MAX_LIMIT),
            after,
        }
    }
}

/// One page of a list, in the order of its key.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The key to ask for the next page with; absent on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `items`, which were fetched with a limit of one more than `request` asks for.
    pub fn of(mut items: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> String) -> Self {
        let limit = request.limit as usize;
        let next = (items.len() > limit).then(|| key(&items[limit - 1]));
        items.truncate(limit);
        Self { items, next }
    }

    /// The same page with every item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}
