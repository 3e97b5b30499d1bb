//! What a plugin says of itself is checked before it is believed.

use auralis_abi::{Plugin, PluginHeader, Status, wire};
use auralis_core::ErrorKind;

#[test]
fn a_header_that_does_not_fit_is_refused() {
    fn header() -> PluginHeader {
        auralis_abi::export::header("other", "1.0.0", "unwind")
    }
    unsafe extern "C" fn nothing(_: wire::Text) -> *const wire::InterfaceHeader {
        std::ptr::null()
    }
    let cases = [
        (
            PluginHeader {
                magic: *b"aurelia\0",
                ..header()
            },
            "the plugin's header does not begin with the magic of auralis".to_owned(),
        ),
        (
            PluginHeader { abi: 2, ..header() },
            "the plugin speaks ABI 2, this host ABI 1".to_owned(),
        ),
        (
            PluginHeader {
                size: 24,
                ..header()
            },
            format!(
                "the plugin's header has 24 bytes, ABI 1 needs {}",
                size_of::<PluginHeader>()
            ),
        ),
        (
            PluginHeader {
                target: wire::Text::of_str("sparc-sun-solaris"),
                ..header()
            },
            format!(
                "the plugin was built for sparc-sun-solaris, this host for {}",
                auralis_abi::TARGET
            ),
        ),
        (
            PluginHeader {
                panic: wire::Text::of_str("abort"),
                ..header()
            },
            "the plugin was built with panic = \"abort\", which must be \"unwind\"".to_owned(),
        ),
        (
            PluginHeader {
                abi_stable: 12,
                ..header()
            },
            "the plugin describes its layouts by abi_stable 0.12, this host reads 0.11".to_owned(),
        ),
        (
            PluginHeader {
                get_interface: None,
                ..header()
            },
            "the plugin's header has no `get_interface`".to_owned(),
        ),
        (
            PluginHeader {
                get_interface: Some(nothing),
                ..header()
            },
            "the plugin does not serve the interface `backends/1`".to_owned(),
        ),
    ];
    for (header, message) in &cases {
        // SAFETY: the header is a value of our own, its functions are those of this crate.
        let error = unsafe { Plugin::read(header) }.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Plugin, message.as_str())
        );
    }
    // SAFETY: null is looked at only.
    assert!(unsafe { Plugin::read(std::ptr::null()) }.is_err());
}

#[test]
fn a_plugin_without_layout_descriptions_is_held_to_sizes() {
    let header = PluginHeader {
        abi_stable: 0,
        ..auralis_abi::export::header("again", "1.0.0", "unwind")
    };
    // SAFETY: the header is our own.
    let plugin = unsafe { Plugin::read(&header) }.unwrap();
    assert_eq!(plugin.backends().len(), 8);
}

#[test]
fn an_interface_that_is_missing_is_named() {
    unsafe extern "C" fn no_caches(name: wire::Text) -> *const wire::InterfaceHeader {
        // SAFETY: the host gives a text.
        match unsafe { name.open_str() } {
            Ok("cache/1") => std::ptr::null(),
            // SAFETY: as above.
            _ => unsafe { auralis_abi::export::get_interface(name) },
        }
    }
    let header = PluginHeader {
        get_interface: Some(no_caches),
        ..auralis_abi::export::header("cacheless", "1.0.0", "unwind")
    };
    // SAFETY: the header is our own.
    let error = unsafe { Plugin::read(&header) }.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Plugin);
    assert_eq!(
        error.to_string(),
        "the plugin does not serve the interface `cache/1` (backend: cache/faulty)"
    );
}

#[test]
fn unknown_statuses_and_kinds_are_faults_of_the_plugin() {
    assert_eq!(Status::OK.kind(), None);
    assert_eq!(Status(4711).kind(), Some(ErrorKind::Plugin));
    for code in 1..=11 {
        let status = Status(code);
        assert_eq!(Status::of(status.kind().unwrap()), status);
    }
}

#[test]
fn foreign_slices_are_checked_before_they_are_used() {
    let null = wire::Slice::<f32> {
        ptr: std::ptr::null(),
        len: 0,
    };
    // SAFETY: nothing is behind an empty slice, and the others are refused.
    unsafe {
        assert_eq!(null.open().unwrap(), [0.0; 0]);
        assert!(wire::Slice { len: 1, ..null }.open().is_err());
        let odd = wire::Slice {
            ptr: std::ptr::without_provenance::<f32>(1),
            len: 1,
        };
        assert!(odd.open().is_err());
        assert!(
            wire::Slice {
                ptr: &raw const ALIGNED,
                len: usize::MAX / 2
            }
            .open()
            .is_err()
        );
        assert!(wire::WindowCode(9).open().is_err());
    }
}

static ALIGNED: f32 = 0.0;
