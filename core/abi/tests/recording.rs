//! A fault of a plugin's profiler is not said where it happens, which may be a real-time thread, but
//! when the report is asked for.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use auralis_abi::Plugin;
use auralis_core::profiler::ProfilerSettings;
use auralis_core::{BuildContext, CpuFeatures, OperationId, Options, Profiler};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

auralis_abi::export_plugin!(fixture_backend);

/// The operation over which the profiler `faulty` panics.
const UNLUCKY: OperationId = OperationId(13);

/// Keeps what the host's side of the boundary says.
struct Listener(Arc<Mutex<String>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("auralis_abi::import")
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Text(&mut self.0.lock().unwrap()));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?};").unwrap();
    }
}

#[test]
fn a_fault_while_recording_is_said_with_the_report() {
    let heard = Arc::new(Mutex::new(String::new()));
    tracing::subscriber::set_global_default(Listener(Arc::clone(&heard))).unwrap();
    let heard = || std::mem::take(&mut *heard.lock().unwrap());
    let profiler = faulty();
    heard();
    profiler.record(OperationId(1), 1, 2);
    profiler.record(UNLUCKY, 1, 2);
    profiler.record(OperationId(1), 1, 2);
    assert_eq!(heard(), "");
    assert_eq!(profiler.report(), Default::default());
    assert_eq!(
        heard(),
        "message=a plugin fails: its profiler failed, and has recorded nothing since;\
         backend=\"profiler/faulty\";"
    );
    assert_eq!(profiler.report(), Default::default());
    assert_eq!(profiler.events(), []);
    assert_eq!(heard(), "");
}

fn faulty() -> Arc<dyn Profiler> {
    // SAFETY: the header is our own, and a static.
    let plugin = unsafe { Plugin::read(&auralis_plugin_v1) }.unwrap();
    let mut backends = plugin.backends().iter();
    let faulty = backends.find(|b| b.name() == "profiler/faulty").unwrap();
    let context = BuildContext {
        options: &Options::new(serde_json::json!({"armed": true})),
        settings: &ProfilerSettings::default(),
        cpu: CpuFeatures::detect(),
    };
    faulty.build::<dyn Profiler>(&context).unwrap()
}
