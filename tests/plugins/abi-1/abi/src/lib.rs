//! The definitions of ABI 1 that the plugin uses, as they were released. See `../README.md`.

use std::ffi::c_void;

use abi_stable::StableAbi;
use abi_stable::type_layout::TypeLayout;

/// The target triple that this crate was compiled for.
pub const TARGET: &str = env!("AURALIS_TARGET");

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct Complex<T> {
    pub re: T,
    pub im: T,
}

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct Slice<T> {
    pub ptr: *const T,
    pub len: usize,
}

// SAFETY: it only says where elements lie.
unsafe impl<T: Sync> Sync for Slice<T> {}

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct SliceMut<T> {
    pub ptr: *mut T,
    pub len: usize,
}

pub type Text = Slice<u8>;
pub type Planes = Slice<Slice<f32>>;
pub type PlanesMut = Slice<SliceMut<f32>>;

/// A text that lives for ever.
pub const fn text(text: &'static str) -> Text {
    Slice {
        ptr: text.as_ptr(),
        len: text.len(),
    }
}

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct MinMax {
    pub min: f32,
    pub max: f32,
}

macro_rules! codes {
    ($($code:ident)*) => {$(
        #[derive(Clone, Copy, PartialEq, Eq, StableAbi)]
        #[repr(transparent)]
        pub struct $code(pub u32);
    )*};
}

codes!(AdmissionCode LatencyCode Status WindowCode);

impl AdmissionCode {
    pub const STORED: Self = Self(0);
    pub const TOO_LARGE: Self = Self(1);
}

impl LatencyCode {
    pub const ZERO: Self = Self(0);
    pub const ONE_BLOCK: Self = Self(1);
}

impl Status {
    pub const OK: Self = Self(0);
    pub const INVALID_INPUT: Self = Self(1);
    pub const UNSUPPORTED: Self = Self(2);
    pub const NOT_FOUND: Self = Self(4);
    pub const CONFIG: Self = Self(5);
    pub const PANICKED: Self = Self(9);
}

#[derive(StableAbi)]
#[repr(C)]
pub struct Message {
    pub ptr: *mut u8,
    pub capacity: usize,
    pub message: usize,
    pub total: usize,
}

#[derive(StableAbi)]
#[repr(C)]
pub struct Instance {
    opaque: [u8; 0],
}

#[derive(StableAbi)]
#[repr(C)]
pub struct Plan {
    opaque: [u8; 0],
}

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct Owned<T> {
    pub ptr: *const T,
    pub len: usize,
    pub owner: *const c_void,
    pub release: Option<unsafe extern "C" fn(owner: *const c_void)>,
}

#[repr(C)]
pub struct PluginHeader {
    pub magic: [u8; 8],
    pub size: u32,
    pub abi: u32,
    pub abi_stable: u32,
    pub name: Text,
    pub version: Text,
    pub target: Text,
    pub panic: Text,
    pub get_interface: Option<unsafe extern "C" fn(name: Text) -> *const InterfaceHeader>,
}

#[repr(C)]
pub struct InterfaceHeader {
    pub size: usize,
    pub id: Text,
    pub layout: Option<&'static TypeLayout>,
    pub table_size: usize,
    pub table: *const c_void,
}

// SAFETY: the table is a static that nobody changes.
unsafe impl Sync for InterfaceHeader {}

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct BackendRecord {
    pub kind: Text,
    pub id: Text,
    pub summary: Text,
    pub version: Text,
    pub rank: i32,
    pub requires: Slice<Text>,
    pub capabilities: Slice<Text>,
    pub options_schema: Text,
}

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct BuiltBackend {
    pub instance: *const Instance,
    pub variant: Text,
}

#[derive(StableAbi)]
#[repr(C)]
pub struct BackendsV1 {
    pub count: Option<unsafe extern "C" fn() -> usize>,
    pub describe: Option<
        unsafe extern "C" fn(
            index: usize,
            backend: *mut BackendRecord,
            message: *mut Message,
        ) -> Status,
    >,
    pub build: Option<
        unsafe extern "C" fn(
            index: usize,
            options: Slice<u8>,
            settings: Slice<u8>,
            cpu: Slice<Text>,
            built: *mut BuiltBackend,
            message: *mut Message,
        ) -> Status,
    >,
    pub destroy: Option<unsafe extern "C" fn(index: usize, instance: *const Instance)>,
}

macro_rules! table {
    ($name:ident {
        $($method:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*
    }) => {
        #[derive(StableAbi)]
        #[repr(C)]
        pub struct $name {
            $(
                pub $method: Option<
                    unsafe extern "C" fn(
                        instance: *const Instance,
                        $($argument: $type,)*
                        $(result: *mut $result,)?
                        message: *mut Message,
                    ) -> Status,
                >,
            )*
        }

        impl $name {
            /// Nothing is offered.
            pub const NONE: Self = Self { $($method: None),* };
        }
    };
}

table! {
    SlicesV1 {
        scale(data: SliceMut<f32>, gain: f32);
        ramp(data: SliceMut<f32>, from: f32, to: f32);
        channel_gains(interleaved: SliceMut<f32>, gains: Slice<f32>);
        add(dst: SliceMut<f32>, src: Slice<f32>);
        mix(dst: SliceMut<f32>, src: Slice<f32>, gain: f32);
        mul(dst: SliceMut<f32>, src: Slice<f32>);
        dot(a: Slice<f32>, b: Slice<f32>) -> f32;
        sum_squares(data: Slice<f32>) -> f32;
        peak(data: Slice<f32>) -> f32;
        min_max(data: Slice<f32>) -> MinMax;
        clip(data: SliceMut<f32>, low: f32, high: f32);
        interleave(dst: SliceMut<f32>, planes: Planes);
        deinterleave(planes: PlanesMut, src: Slice<f32>);
        f32_from_i16(dst: SliceMut<f32>, src: Slice<i16>);
        f32_from_i24(dst: SliceMut<f32>, src: Slice<[u8; 3]>);
        f32_from_i32(dst: SliceMut<f32>, src: Slice<i32>);
        i16_from_f32(dst: SliceMut<i16>, src: Slice<f32>);
        i24_from_f32(dst: SliceMut<[u8; 3]>, src: Slice<f32>);
        i32_from_f32(dst: SliceMut<i32>, src: Slice<f32>);
        complex_mul(
            dst: SliceMut<Complex<f32>>,
            a: Slice<Complex<f32>>,
            b: Slice<Complex<f32>>
        );
        complex_mul_add(
            dst: SliceMut<Complex<f32>>,
            a: Slice<Complex<f32>>,
            b: Slice<Complex<f32>>
        );
        window(dst: SliceMut<f32>, window: WindowCode);
        moving_rms(dst: SliceMut<f32>, src: Slice<f32>, window: usize);
    }
}

#[derive(StableAbi)]
#[repr(C)]
pub struct ConvolverV1 {
    pub create: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            impulse: Slice<f32>,
            block: usize,
            latency: LatencyCode,
            plan: *mut *mut Plan,
            frames_behind: *mut usize,
            message: *mut Message,
        ) -> Status,
    >,
    pub process: Option<
        unsafe extern "C" fn(
            plan: *mut Plan,
            dst: SliceMut<f32>,
            src: Slice<f32>,
            message: *mut Message,
        ) -> Status,
    >,
    pub reset: Option<unsafe extern "C" fn(plan: *mut Plan, message: *mut Message) -> Status>,
    pub destroy: Option<unsafe extern "C" fn(plan: *mut Plan)>,
}

#[derive(Clone, Copy, StableAbi)]
#[repr(C)]
pub struct Lookup {
    pub value: Owned<u8>,
    pub found: u8,
}

#[derive(Clone, Copy, Default, StableAbi)]
#[repr(C)]
pub struct CacheStats {
    pub capacity_bytes: u64,
    pub bytes: u64,
    pub entries: u64,
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub expirations: u64,
    pub too_large: u64,
    pub errors: u64,
}

table! {
    CacheV1 {
        get(key: *const [u8; 32]) -> Lookup;
        put(key: *const [u8; 32], value: Owned<u8>) -> AdmissionCode;
        remove(key: *const [u8; 32]) -> u8;
        sweep() -> usize;
        stats() -> CacheStats;
    }
}
