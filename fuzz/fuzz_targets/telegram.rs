#![no_main]
//! Whatever the Bot API answers is decoded to something, and every message of it is described by one text.

use libfuzzer_sys::fuzz_target;
use tertulia_tgbridge::bridge::describe;
use tertulia_tgbridge::phrases::Language;
use tertulia_tgbridge::telegram::{reply, types};

fuzz_target!(|data: &[u8]| {
    let _ = reply::decode(200, data);
    for update in reply::decode_updates(200, data).unwrap_or_default() {
        if let Some(message) = update.message {
            assert!(!describe(&message.body, Language::Es).is_empty());
        }
    }
    let mut result = match serde_json::from_slice(data) {
        Ok(result) => result,
        Err(_) => return,
    };
    for update in types::updates(&mut result) {
        if let Some(message) = update.message {
            assert!(!describe(&message.body, Language::Es).is_empty());
        }
    }
});
