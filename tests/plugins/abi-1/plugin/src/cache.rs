//! A cache that keeps what was put last.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Time};

use auralis_abi::{AdmissionCode, CacheStats, CacheV1, Instance, Lookup, Message, Owned, Status};

use crate::call::{Result, contain};

pub static TABLE: CacheV1 = CacheV1 {
    get: Some(get),
    put: Some(put),
    remove: Some(remove),
    sweep: Some(sweep),
    stats: Some(stats),
};

type Key = [u8; 32];

/// What an instance stands for.
pub struct Cache(Mutex<State>);

struct State {
    capacity: u64,
    ttl: Duration,
    entry: Option<Entry>,
    stats: CacheStats,
}

struct Entry {
    key: Key,
    value: Arc<Value>,
    until: Option<Time>,
}

impl Entry {
    fn size(&self) -> u64 {
        (self.value.0.len + size_of::<Key>()) as u64
    }
}

/// The host's bytes, given back when nobody reads them any more.
struct Value(Owned<u8>);

// SAFETY: the rules of the wire let any thread read the bytes and give them back.
unsafe impl Send for Value {}
// SAFETY: as above.
unsafe impl Sync for Value {}

impl Drop for Value {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: they were handed over to this side, and are given back once.
            unsafe { release(self.0.owner) };
        }
    }
}

impl Cache {
    /// A cache of these settings, a JSON object.
    pub fn new(settings: &str) -> Self {
        let ttl = Duration::from_secs(number(settings, "secs"))
            + Duration::from_nanos(number(settings, "nanos"));
        Self(Mutex::new(State {
            capacity: number(settings, "capacity_bytes"),
            ttl,
            entry: None,
            stats: CacheStats::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of this name in a JSON text; 0 where there is none.
fn number(json: &str, name: &str) -> u64 {
    let after = json
        .split_once(&format!("\"{name}\":"))
        .map_or("", |(_, after)| after);
    let digits = after
        .trim_start()
        .split(|c: char| !c.is_ascii_digit())
        .next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl State {
    fn get(&mut self, key: &Key) -> Option<Arc<Value>> {
        self.sweep();
        let found = self.entry.as_ref().filter(|entry| entry.key == *key);
        let value = found.map(|entry| Arc::clone(&entry.value));
        match value {
            Some(_) => self.stats.hits += 1,
            None => self.stats.misses += 1,
        }
        value
    }

    fn put(&mut self, key: Key, value: Value) -> AdmissionCode {
        let until = (!self.ttl.is_zero()).then(|| Time::now() + self.ttl);
        let value = Arc::new(value);
        let entry = Entry { key, value, until };
        if entry.size() > self.capacity {
            self.stats.too_large += 1;
            self.remove(&key);
            return AdmissionCode::TOO_LARGE;
        }
        let before = self.entry.replace(entry);
        self.stats.evictions += u64::from(before.is_some_and(|before| before.key != key));
        AdmissionCode::STORED
    }

    fn remove(&mut self, key: &Key) -> bool {
        self.entry.take_if(|entry| entry.key == *key).is_some()
    }

    fn sweep(&mut self) -> usize {
        let dead = |entry: &mut Entry| entry.until.is_some_and(|until| until <= Time::now());
        let swept = usize::from(self.entry.take_if(dead).is_some());
        self.stats.expirations += swept as u64;
        swept
    }

    fn stats(&self) -> CacheStats {
        CacheStats {
            capacity_bytes: self.capacity,
            bytes: self.entry.as_ref().map_or(0, Entry::size),
            entries: u64::from(self.entry.is_some()),
            ..self.stats
        }
    }
}

/// Runs `body` on the state and stores its answer.
///
/// # Safety
///
/// The instance is a [`Cache`], and `result` may be written.
unsafe fn on_state<T>(
    instance: *const Instance,
    result: *mut T,
    message: *mut Message,
    body: impl FnOnce(&mut State) -> Result<T>,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe {
        contain(message, || {
            result.write(body(&mut (*instance.cast::<Cache>()).state())?);
            Ok(())
        })
    }
}

// SAFETY of all: the host keeps the rules of the wire.

unsafe extern "C" fn get(
    instance: *const Instance,
    key: *const Key,
    result: *mut Lookup,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        on_state(instance, result, message, |state| {
            Ok(state.get(&*key).map_or(MISS, |value| Lookup {
                value: lend(value),
                found: 1,
            }))
        })
    }
}

const MISS: Lookup = Lookup {
    value: Owned {
        ptr: ptr::null(),
        len: 0,
        owner: ptr::null(),
        release: None,
    },
    found: 0,
};

fn lend(value: Arc<Value>) -> Owned<u8> {
    unsafe extern "C" fn release(owner: *const c_void) {
        // SAFETY: it came from `into_raw` below, and is given back once.
        drop(unsafe { Arc::from_raw(owner.cast::<Value>()) });
    }
    Owned {
        ptr: value.0.ptr,
        len: value.0.len,
        owner: Arc::into_raw(value).cast(),
        release: Some(release),
    }
}

unsafe extern "C" fn put(
    instance: *const Instance,
    key: *const Key,
    value: Owned<u8>,
    result: *mut AdmissionCode,
    message: *mut Message,
) -> Status {
    let value = Value(value);
    // SAFETY: see the top.
    unsafe {
        on_state(
            instance,
            result,
            message,
            |state| Ok(state.put(*key, value)),
        )
    }
}

unsafe extern "C" fn remove(
    instance: *const Instance,
    key: *const Key,
    result: *mut u8,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        on_state(instance, result, message, |state| {
            Ok(state.remove(&*key).into())
        })
    }
}

unsafe extern "C" fn sweep(
    instance: *const Instance,
    result: *mut usize,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe { on_state(instance, result, message, |state| Ok(state.sweep())) }
}

unsafe extern "C" fn stats(
    instance: *const Instance,
    result: *mut CacheStats,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe { on_state(instance, result, message, |state| Ok(state.stats())) }
}
