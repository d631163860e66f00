//! Scripts of engines that run code.

mod python;
