//! What a plugin says through `tracing` reaches the host's subscriber, as far as that listens.

use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fmt::{Debug, Write};
use std::sync::Mutex;

use auralis_abi::{Plugin, PluginHeader, ROOT_SYMBOL};
use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{Accelerator, BuildContext, CpuFeatures, Options};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LEVEL: Mutex<LevelFilter> = Mutex::new(LevelFilter::OFF);
static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what plugins say, and panics when it hears of an error.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "auralis::plugin" && *metadata.level() <= *LEVEL.lock().unwrap()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(*LEVEL.lock().unwrap())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        let bad = line.0.starts_with("ERROR");
        HEARD.lock().unwrap().push(line.0);
        assert!(!bad, "the host's subscriber panics");
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "; {field}: {value:?}").unwrap();
    }
}

fn listen_to(level: LevelFilter) {
    *LEVEL.lock().unwrap() = level;
    tracing::callsite::rebuild_interest_cache();
}

#[test]
fn a_plugin_is_heard_as_far_as_the_host_listens() {
    tracing::subscriber::set_global_default(Listener).unwrap();
    let plugin = plugin();
    let mut backends = plugin.backends().iter();
    let faulty = backends.find(|b| b.name() == "accelerator/faulty").unwrap();
    let context = BuildContext {
        options: &Options::new(serde_json::json!({"armed": true})),
        settings: &AcceleratorSettings::default(),
        cpu: CpuFeatures::detect(),
    };
    let accelerator = faulty.build::<dyn Accelerator>(&context).unwrap();
    let heard = || {
        accelerator.peak(&[0.5; 3]).unwrap();
        std::mem::take(&mut *HEARD.lock().unwrap())
    };

    // The host listened to nothing when the plugin was read.
    assert_eq!(heard(), [""; 0]);
    let place = "fixture_backend::faulty::accelerator";
    let said = |level: &str, target: &str, text: &str| {
        format!(r#"{level}; message: {text}; plugin: "plugin-fixture"; target: "{target}""#)
    };
    let to_information = [
        said("ERROR", place, "an error"),
        said("WARN", place, "a warning samples=3 text=a word"),
        said("INFO", "elsewhere", "information"),
    ];
    listen_to(LevelFilter::INFO);
    plugin.forward_log().unwrap();
    assert_eq!(heard(), to_information);
    listen_to(LevelFilter::TRACE);
    assert_eq!(heard(), to_information);
    plugin.forward_log().unwrap();
    let all = heard();
    assert_eq!(all[..3], to_information);
    assert_eq!(
        all[3..],
        [
            said("DEBUG", place, "for debugging"),
            said("TRACE", place, "for tracing"),
        ]
    );
    listen_to(LevelFilter::OFF);
    plugin.forward_log().unwrap();
    listen_to(LevelFilter::TRACE);
    assert_eq!(heard(), [""; 0]);
}

/// The plugin that cargo builds beside this test. It stays open for ever.
fn plugin() -> Plugin {
    let file = format!("{DLL_PREFIX}plugin_fixture{DLL_SUFFIX}");
    let file = env::current_exe().unwrap().with_file_name(file);
    // SAFETY: the constructors are those of a plugin of ours, which do no harm.
    let library = unsafe { libloading::Library::new(file) }.unwrap();
    // SAFETY: a symbol of this name is the static header of a plugin; only its address is taken.
    let header = *unsafe { library.get::<*const PluginHeader>(ROOT_SYMBOL.as_bytes()) }.unwrap();
    std::mem::forget(library);
    // SAFETY: the library is never unloaded, and a plugin of ours keeps the rules.
    unsafe { Plugin::read(header) }.unwrap()
}
