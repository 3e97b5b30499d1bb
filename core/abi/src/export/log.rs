//! The plugin's log: its `tracing` events, sent to the host as text.

use std::cell::Cell;
use std::fmt::{self, Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{PoisonError, RwLock};

use auralis_core::{Error, ErrorKind};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::Served;
use super::guard::contain;
use crate::tables::{LogSink, LogV1};
use crate::wire::{LevelCode, Message, Slice, Status};

impl Served for LogV1 {
    const TABLE: &'static Self = &Self {
        install: Some(install),
    };
}

/// A sink that any thread may write to.
#[derive(Clone, Copy)]
struct Shared(LogSink);

// SAFETY: the rules of the wire let any thread write to a sink, whose context lives for ever.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

static SINK: RwLock<Option<Shared>> = RwLock::new(None);

fn sink() -> Option<LogSink> {
    let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
    sink.map(|shared| shared.0)
}

unsafe extern "C" fn install(sink: LogSink, message: *mut Message) -> Status {
    let body = || {
        *SINK.write().unwrap_or_else(PoisonError::into_inner) = Some(Shared(sink));
        if sink.level.0 > 0
            && tracing::subscriber::set_global_default(Forwarder).is_err()
            && !tracing::dispatcher::get_default(|d| d.is::<Forwarder>())
        {
            let text = "the plugin's log goes elsewhere: it has a subscriber of its own";
            return Err(Error::new(ErrorKind::Unavailable, text));
        }
        // The level may have changed since the callsites asked for it.
        tracing::callsite::rebuild_interest_cache();
        Ok(())
    };
    // SAFETY: the host keeps the rules of the wire: the message is null or may be written.
    unsafe { contain(&AtomicBool::new(false), message, body) }
}

/// Sends every event that the host wants to its sink.
struct Forwarder;

thread_local! {
    /// Whether this thread is sending an event: what the sink itself says is not sent.
    static SENDING: Cell<bool> = const { Cell::new(false) };
}

impl Forwarder {
    fn level() -> LevelFilter {
        match sink().map_or(0, |sink| sink.level.0) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        }
    }

    fn send(event: &Event<'_>) {
        let Some(sink) = sink() else { return };
        let mut line = Line::default();
        event.record(&mut line);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let text = line.message + &line.fields;
        // SAFETY: the sink takes any text during the call, from any thread.
        unsafe {
            (sink.write)(
                sink.context,
                level.into(),
                Slice::of(target.as_bytes()),
                Slice::of(text.as_bytes()),
            );
        }
    }
}

impl Subscriber for Forwarder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Self::level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(Self::level())
    }

    /// A field that panics when it is printed loses its event, and nothing else.
    fn event(&self, event: &Event<'_>) {
        if SENDING.replace(true) {
            return;
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| Self::send(event))) {
            std::mem::forget(payload);
        }
        SENDING.set(false);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl From<&Level> for LevelCode {
    fn from(level: &Level) -> Self {
        Self(match *level {
            Level::ERROR => 1,
            Level::WARN => 2,
            Level::INFO => 3,
            Level::DEBUG => 4,
            Level::TRACE => 5,
        })
    }
}

/// An event in one line: its message, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing to a String can't fail.
        let _ = match field.name() {
            "message" => self.message.write_fmt(value),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}
