//! What a library says of itself in its own file, so that a host can read it without running any code.
//!
//! A link section, [`SECTION`], holds texts that each end with a NUL; further zero bytes between them
//! mean nothing. One text is `auralis-plugin {..}`, one per backend is `auralis-backend {..}`, and
//! what stands in the braces is a JSON object; one per kernel of an author's own is
//! `auralis-kernel {..}`. A text `auralis-seal` and 64 zeros is room for the hash of the finished file.
//! [`register!`](crate::register) writes the record of its backend,
//! [`kernel!`](crate::kernel) that of its kernel, `export_plugin!` of `auralis-abi` that of the plugin; an author in another language
//! writes a string literal.

use crate::{CpuFeatures, Descriptor, KernelDescriptor, Kind};

/// The link section that holds the records.
pub const SECTION: &str = if cfg!(target_vendor = "apple") {
    "__auralis"
} else {
    ".auralis"
};

/// The word before the record of a plugin.
pub const PLUGIN: &str = "auralis-plugin";

/// The word before the record of a backend.
pub const BACKEND: &str = "auralis-backend";

/// The word before the record of a kernel of an author's own.
pub const KERNEL: &str = "auralis-kernel";

/// The word before the seal.
pub const SEAL: &str = "auralis-seal";

/// One record, as constants know it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Record {
    /// What `export_plugin!` says.
    Plugin(Plugin),
    /// What `register!` says.
    Backend(Backend),
    /// What `kernel!` says.
    Kernel(&'static KernelDescriptor),
    /// Room for the seal.
    Seal,
}

/// A plugin as such.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// The version of the ABI.
    pub abi: u32,
    /// The name of the crate.
    pub name: &'static str,
    /// The version of the crate.
    pub version: &'static str,
    /// The target triple.
    pub target: &'static str,
    /// What a panic does: `unwind` or `abort`.
    pub panic: &'static str,
    /// The line of abi_stable that describes the layouts.
    pub abi_stable: &'static str,
}

/// A backend: what its descriptor says.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    kind: &'static str,
    id: &'static str,
    summary: &'static str,
    version: &'static str,
    rank: i32,
    requires: CpuFeatures,
    capabilities: &'static [&'static str],
    options_schema: &'static str,
}

impl Record {
    /// The record of a backend.
    pub const fn backend<K: Kind + ?Sized>(descriptor: &Descriptor<K>) -> Self {
        Self::Backend(Backend {
            kind: K::NAME,
            id: descriptor.id,
            summary: descriptor.summary,
            version: descriptor.version,
            rank: descriptor.rank,
            requires: descriptor.requires,
            capabilities: descriptor.capabilities,
            options_schema: descriptor.options_schema,
        })
    }

    /// The record of a kernel.
    pub const fn kernel(descriptor: &'static KernelDescriptor) -> Self {
        Self::Kernel(descriptor)
    }

    /// How many bytes its text has, the NUL included.
    pub const fn size(&self) -> usize {
        self.text::<0>().len
    }

    /// Its text, of [`size`](Self::size) bytes.
    pub const fn bytes<const LEN: usize>(&self) -> [u8; LEN] {
        self.text::<LEN>().bytes
    }

    const fn text<const LEN: usize>(&self) -> Text<LEN> {
        let mut text = Text {
            bytes: [0; LEN],
            len: 0,
        };
        match self {
            Self::Plugin(plugin) => plugin.write(&mut text),
            Self::Backend(backend) => backend.write(&mut text),
            Self::Kernel(kernel) => kernel.write(&mut text),
            Self::Seal => seal(&mut text),
        }
        text.byte(0);
        text
    }
}

/// The seal of a file that is not sealed yet: the digits of a SHA-256 that are all zero.
const fn seal<const LEN: usize>(text: &mut Text<LEN>) {
    text.raw(SEAL);
    text.raw(" ");
    let mut i = 0;
    while i < 64 {
        text.raw("0");
        i += 1;
    }
}

impl Plugin {
    const fn write<const LEN: usize>(&self, text: &mut Text<LEN>) {
        text.raw(PLUGIN);
        text.raw(" {\"abi\":");
        text.number(self.abi as i64);
        text.member("name", self.name);
        text.member("version", self.version);
        text.member("target", self.target);
        text.member("panic", self.panic);
        text.member("abi_stable", self.abi_stable);
        text.raw("}");
    }
}

impl Backend {
    const fn write<const LEN: usize>(&self, text: &mut Text<LEN>) {
        assert!(
            is_object(self.options_schema),
            "the schema of a backend's options is no JSON object"
        );
        text.raw(BACKEND);
        text.raw(" {\"kind\":");
        text.string(self.kind);
        text.member("id", self.id);
        text.member("summary", self.summary);
        text.member("version", self.version);
        text.raw(",\"rank\":");
        text.number(self.rank as i64);
        text.raw(",\"requires\":[");
        text.features(self.requires);
        text.raw("],\"capabilities\":[");
        let mut i = 0;
        while i < self.capabilities.len() {
            text.element(self.capabilities[i], i);
            i += 1;
        }
        text.raw("],\"options_schema\":");
        text.raw(self.options_schema);
        text.raw("}");
    }
}

impl KernelDescriptor {
    /// The ranges of the parameters and the bound stay with the code: only tests need them.
    const fn write<const LEN: usize>(&self, text: &mut Text<LEN>) {
        assert!(
            self.sources <= crate::MAX_CHANNELS,
            "a kernel may not read as many sources"
        );
        text.raw(KERNEL);
        text.raw(" {\"name\":");
        text.string(self.name);
        text.member("summary", self.summary);
        text.member("version", self.version);
        text.raw(",\"sources\":");
        text.number(self.sources as i64);
        text.raw(",\"parameters\":[");
        let mut i = 0;
        while i < self.parameters.len() {
            text.element(self.parameters[i].name, i);
            i += 1;
        }
        text.raw("],\"variants\":[");
        let mut i = 0;
        while i < self.variants.len() {
            text.raw(if i > 0 { ",{\"id\":" } else { "{\"id\":" });
            text.string(self.variants[i].id());
            text.raw(",\"requires\":[");
            text.features(self.variants[i].requires());
            text.raw("]}");
            i += 1;
        }
        text.raw("]}");
    }
}

/// Whether a text begins and ends like a JSON object and holds no NUL, which would end the record.
const fn is_object(text: &str) -> bool {
    let text = text.as_bytes().trim_ascii();
    let mut i = 0;
    while i < text.len() {
        if text[i] == 0 {
            return false;
        }
        i += 1;
    }
    matches!(text, [b'{', .., b'}'])
}

/// A text that grows in a constant. One without room only counts.
struct Text<const LEN: usize> {
    bytes: [u8; LEN],
    len: usize,
}

impl<const LEN: usize> Text<LEN> {
    const fn byte(&mut self, byte: u8) {
        if self.len < LEN {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    const fn raw(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() {
            self.byte(text[i]);
            i += 1;
        }
    }

    /// A JSON string, escaped as RFC 8259, section 7, demands.
    const fn string(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let text = text.as_bytes();
        self.byte(b'"');
        let mut i = 0;
        while i < text.len() {
            match text[i] {
                special @ (b'"' | b'\\') => {
                    self.byte(b'\\');
                    self.byte(special);
                }
                control @ 0..0x20 => {
                    self.raw("\\u00");
                    self.byte(HEX[(control >> 4) as usize]);
                    self.byte(HEX[(control & 15) as usize]);
                }
                other => self.byte(other),
            }
            i += 1;
        }
        self.byte(b'"');
    }

    const fn member(&mut self, name: &str, value: &str) {
        self.byte(b',');
        self.string(name);
        self.byte(b':');
        self.string(value);
    }

    const fn element(&mut self, value: &str, index: usize) {
        if index > 0 {
            self.byte(b',');
        }
        self.string(value);
    }

    const fn features(&mut self, features: CpuFeatures) {
        let mut written = 0;
        let mut bit = 0;
        while let Some(name) = CpuFeatures::name(bit) {
            if features.has(bit) {
                self.element(name, written);
                written += 1;
            }
            bit += 1;
        }
    }

    const fn number(&mut self, number: i64) {
        if number < 0 {
            self.byte(b'-');
        }
        let rest = number.unsigned_abs();
        let mut power = 1;
        while rest / power >= 10 {
            power *= 10;
        }
        while power > 0 {
            self.byte(b'0' + (rest / power % 10) as u8);
            power /= 10;
        }
    }
}

/// Places a [`Record`] in the link section. Nothing refers to it: `#[used]` keeps it through the
/// linker's garbage collection (SHF_GNU_RETAIN in ELF), LTO and strip.
#[doc(hidden)]
#[macro_export]
macro_rules! manifest_record {
    ($($record:tt)*) => {
        const _: () = {
            const AURALIS_RECORD: $crate::manifest::Record = { $($record)* };

            #[used]
            #[cfg_attr(
                target_vendor = "apple",
                unsafe(link_section = "__DATA,__auralis,regular,no_dead_strip")
            )]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".auralis"))]
            static AURALIS_RECORD_TEXT: [u8; AURALIS_RECORD.size()] = AURALIS_RECORD.bytes();
        };
    };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Error, Executor};

    const BACKEND: Record = Record::backend(&Descriptor::<dyn Executor> {
        id: "odd",
        summary: "Says \"no\" \\ in\u{1}Ünïcode\n",
        version: "1.2.3",
        rank: i32::MIN,
        requires: CpuFeatures::of(&["avx2", "fma"]),
        capabilities: &["scale", "dot"],
        options_schema: r#"{"type": "object"}"#,
        build: |_| Err::<Arc<dyn Executor>, _>(Error::unsupported("odd")),
    });

    const PLUGIN: Record = Record::Plugin(Plugin {
        abi: 1,
        name: "plugin-odd",
        version: "0.1.0",
        target: "x86_64-unknown-linux-gnu",
        panic: "unwind",
        abi_stable: "0.11",
    });

    const KERNEL: Record = Record::kernel(&KernelDescriptor {
        name: "acme.odd",
        summary: "Does nothing",
        version: "1.2.3",
        sources: 2,
        parameters: &[crate::Parameter {
            name: "drive",
            min: 0.0,
            max: 1.0,
        }],
        reference: |_, _, _| {},
        variants: &[],
        bound: crate::Bound::EXACT,
    });

    #[test]
    fn a_record_is_a_word_and_a_json_object() {
        const KERNEL_TEXT: [u8; KERNEL.size()] = KERNEL.bytes();
        const BACKEND_TEXT: [u8; BACKEND.size()] = BACKEND.bytes();
        const PLUGIN_TEXT: [u8; PLUGIN.size()] = PLUGIN.bytes();
        let cases = [
            (
                &BACKEND_TEXT[..],
                super::BACKEND,
                serde_json::json!({
                    "kind": "executor",
                    "id": "odd",
                    "summary": "Says \"no\" \\ in\u{1}Ünïcode\n",
                    "version": "1.2.3",
                    "rank": i32::MIN,
                    "requires": ["fma", "avx2"],
                    "capabilities": ["scale", "dot"],
                    "options_schema": { "type": "object" },
                }),
            ),
            (
                &PLUGIN_TEXT[..],
                super::PLUGIN,
                serde_json::json!({
                    "abi": 1,
                    "name": "plugin-odd",
                    "version": "0.1.0",
                    "target": "x86_64-unknown-linux-gnu",
                    "panic": "unwind",
                    "abi_stable": "0.11",
                }),
            ),
            (
                &KERNEL_TEXT[..],
                super::KERNEL,
                serde_json::json!({
                    "name": "acme.odd",
                    "summary": "Does nothing",
                    "version": "1.2.3",
                    "sources": 2,
                    "parameters": ["drive"],
                    "variants": [],
                }),
            ),
        ];
        for (bytes, word, expected) in cases {
            let text = std::ffi::CStr::from_bytes_with_nul(bytes).unwrap();
            let (found, json) = text.to_str().unwrap().split_once(' ').unwrap();
            assert_eq!(found, word);
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(json, expected);
        }
    }

    #[test]
    fn numbers_are_decimal() {
        for number in [
            0,
            1,
            9,
            10,
            -1,
            1_000,
            i64::from(i32::MIN),
            i64::from(u32::MAX),
        ] {
            let mut text = Text {
                bytes: [0; 16],
                len: 0,
            };
            text.number(number);
            assert_eq!(&text.bytes[..text.len], number.to_string().as_bytes());
        }
    }
}
