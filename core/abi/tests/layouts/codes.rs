//! The codes and their values.

use auralis_abi::wire::{
    AdmissionCode, ContentsCode, ConvolutionModeCode, LatencyCode, LevelCode, Status, WindowCode,
};
use tracing::level_filters::LevelFilter;

/// The values of a code by name, none if it is not listed here.
pub fn of(name: &str) -> Option<Vec<(u32, String)>> {
    macro_rules! listed {
        ($($code:ident)*) => {
            match name {
                $(stringify!($code) => Some(known(|value| {
                    $code(value).open().ok().map(|native| format!("{native:?}"))
                })),)*
                "LevelCode" => Some(known(level)),
                "Status" => Some(known(status)),
                _ => None,
            }
        };
    }
    listed!(AdmissionCode ContentsCode ConvolutionModeCode LatencyCode WindowCode)
}

fn known(name: impl Fn(u32) -> Option<String>) -> Vec<(u32, String)> {
    (0..256)
        .filter_map(|value| Some((value, name(value)?)))
        .collect()
}

fn status(value: u32) -> Option<String> {
    match Status(value).kind() {
        None => Some("Ok".to_owned()),
        Some(kind) => (Status::of(kind) == Status(value)).then(|| format!("{kind:?}")),
    }
}

fn level(value: u32) -> Option<String> {
    let levels = [
        ("Off", LevelFilter::OFF),
        ("Error", LevelFilter::ERROR),
        ("Warn", LevelFilter::WARN),
        ("Info", LevelFilter::INFO),
        ("Debug", LevelFilter::DEBUG),
        ("Trace", LevelFilter::TRACE),
    ];
    let known = |(_, filter): &&(&str, LevelFilter)| LevelCode::from(*filter).0 == value;
    levels
        .iter()
        .find(known)
        .map(|(name, _)| (*name).to_owned())
}
