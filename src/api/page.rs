//! One shape for every list.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;
use crate::error::Error;
use crate::model::page::{self, PageRequest};

const DEFAULT_LIMIT: u32 = 100;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// The most items, 1 to 1000; 100 unless told.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl ListQuery {
    pub(super) fn new(limit: Option<u32>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    pub(super) fn request(&self) -> Result<PageRequest, ApiError> {
        let bad = |what: &str| ApiError(Error::invalid(format!("{what} is wrong")));
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=page::MAX_LIMIT).contains(&limit) {
            return Err(ApiError(
                Error::invalid(format!("limit is {limit}")).hint("it may be 1 to 1000"),
            ));
        }
        let after = match &self.cursor {
            None => None,
            Some(cursor) => {
                let bytes = hex::decode(cursor).map_err(|_| bad("cursor"))?;
                let after = String::from_utf8(bytes).map_err(|_| bad("cursor"))?;
                Some(after)
                    .filter(|after| !after.contains('\0'))
                    .ok_or_else(|| bad("cursor"))
                    .map(Some)?
            }
        };
        Ok(PageRequest::new(limit, after))
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items.
    items: Vec<T>,
    /// What to give as `cursor` for the next page; null on the last.
    next: Option<String>,
}

impl<T> Page<T> {
    pub(super) fn of<U>(page: page::Page<U>, render: impl FnMut(U) -> T) -> Self {
        Self {
            next: page.next.map(hex::encode),
            items: page.items.into_iter().map(render).collect(),
        }
    }

    pub(super) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
