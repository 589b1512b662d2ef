//! The enricher: concludes which device this is and how risky it is.

#![forbid(unsafe_code)]
