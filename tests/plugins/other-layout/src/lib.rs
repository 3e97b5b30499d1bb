//! A plugin whose table of slice kernels has one field more than the released one.

use std::ptr;

use abi_stable::StableAbi;
use auralis_abi::tables::Interface;
use auralis_abi::wire::{
    Complex, Instance, InterfaceHeader, Message, MinMax, Planes, PlanesMut, PluginHeader, Slice,
    SliceMut, Status, Text, WindowCode,
};
use fixture_backend as _;

/// Defines the released table with one field more.
macro_rules! one_more {
    ($(#[$doc:meta])* $name:ident $id:literal { $($functions:tt)* }) => {
        auralis_abi::kernel_table! {
            $(#[$doc])* $name $id { $($functions)* halve(data: SliceMut<f32>); }
        }

        static SLICES: $name = none! { $name $($functions)* };
    };
}

/// The table with every function NULL: the host never comes to call one.
macro_rules! none {
    ($name:ident $($method:ident($($arguments:tt)*) $(-> $result:ty)?;)*) => {
        $name { $($method: None,)* halve: None }
    };
}

auralis_abi::accelerator_slices_v1!(one_more);

static HEADER: InterfaceHeader = InterfaceHeader {
    size: size_of::<InterfaceHeader>(),
    id: Text::of_str(SlicesV1::ID),
    layout: Some(SlicesV1::LAYOUT),
    table_size: size_of::<SlicesV1>(),
    table: ptr::from_ref(&SLICES).cast(),
};

unsafe extern "C" fn get_interface(name: Text) -> *const InterfaceHeader {
    // SAFETY: the host gives a text.
    match unsafe { name.open_str() } {
        Ok(SlicesV1::ID) => &HEADER,
        // SAFETY: the name is passed on.
        _ => unsafe { auralis_abi::export::get_interface(name) },
    }
}

#[allow(non_upper_case_globals, reason = "the name is the exported symbol")]
#[unsafe(no_mangle)]
static auralis_plugin_v1: PluginHeader = PluginHeader {
    get_interface: Some(get_interface),
    ..auralis_abi::export::header("plugin-other-layout", env!("CARGO_PKG_VERSION"), "unwind")
};

auralis_abi::export::manifest_record! {
    auralis_abi::export::record("plugin-other-layout", env!("CARGO_PKG_VERSION"), "unwind")
}
