//! ClickHouse out of `libchdb.so`: the only unsafe code of the engine.
//!
//! The library's entry point takes a command line of `clickhouse local` and returns when its queries have ended.
//! The last of ours never ends by itself, so the call lasts as long as the server does. The library's C interface
//! (`chdb.h`): `chdb_result *chdb_query_cmdline(int argc, char **argv)`, `const char *chdb_result_error(chdb_result *)`.
#![allow(unsafe_code, reason = "a C library is loaded and called; every block says why it is sound")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;

use libloading::{Library, Symbol};

type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;

/// Runs `clickhouse local` with `arguments` (the program's name first) and returns when it has ended.
///
/// To be called once in a process: the library keeps global state that does not survive a second call.
///
/// # Errors
/// What the library said, when it could not be loaded or when a query failed.
pub(crate) fn run(library: &Path, arguments: &[String]) -> Result<(), String> {
    let owned = arguments
        .iter()
        .map(|argument| CString::new(argument.as_str()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("arguments of the library: {error}"))?;
    let mut pointers: Vec<*mut c_char> = owned.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
    pointers.push(std::ptr::null_mut());
    let count = c_int::try_from(owned.len()).map_err(|error| format!("arguments of the library: {error}"))?;

    // SAFETY: loading runs the library's initialisers, which expect nothing of the process. It is never unloaded:
    // its threads may outlive the call.
    let loaded =
        unsafe { Library::new(library) }.map_err(|error| format!("load {}: {error}", library.display()))?;
    let loaded: &'static Library = Box::leak(Box::new(loaded));
    // SAFETY: the types are those of the library's own header, quoted at the top of this module.
    let (query, error): (Symbol<'_, QueryCmdline>, Symbol<'_, ResultError>) = unsafe {
        let query = loaded.get(b"chdb_query_cmdline\0");
        let error = loaded.get(b"chdb_result_error\0");
        match (query, error) {
            (Ok(query), Ok(error)) => (query, error),
            (Err(missing), _) | (_, Err(missing)) => return Err(format!("{}: {missing}", library.display())),
        }
    };

    // SAFETY: `pointers` has `count` valid C strings and a null after them, as a command line has, and `owned`
    // keeps them alive past the call. The library reads them and changes none.
    let result = unsafe { query(count, pointers.as_mut_ptr()) };
    if result.is_null() {
        return Err("the library gave no result".to_owned());
    }
    // SAFETY: `result` is what the library has just returned, and not null. It is not freed: the process ends now.
    let message = unsafe { error(result) };
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: an error that is not null is a C string that lives as long as its result.
    Err(unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned())
}
