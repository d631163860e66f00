//! From a listing, and what its files were found to be, to tables with names. Pure: the same in, the same out.

pub mod alike;
pub mod columns;
pub mod found;
pub mod group;
pub mod looks;
pub mod merge;
pub mod names;
pub mod naming;
pub mod sample;
pub mod tree;
pub mod words;
