//! Finding a table by name, and comparing its layout with the host's.

use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityErrors, check_layout_compatibility,
};
use abi_stable::type_layout::{TLFieldOrFunction, TypeLayout};
use auralis_core::Result;

use super::rejected;
use crate::tables::Interface;
use crate::wire::{InterfaceHeader, PluginHeader, Text};

/// The plugin's table of this interface, if it serves it.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that names the interface whose table is
/// not the one that the host knows.
///
/// # Safety
///
/// The header is that of a library that is never unloaded and keeps the rules of this crate.
pub(super) unsafe fn find<T: Interface>(plugin: &PluginHeader) -> Result<Option<&'static T>> {
    let Some(get_interface) = plugin.get_interface else {
        return Err(rejected("the plugin's header has no `get_interface`"));
    };
    // SAFETY: the caller's promise; what it returns is static or null.
    let Some(header) = (unsafe { get_interface(Text::of_str(T::ID)).as_ref() }) else {
        return Ok(None);
    };
    let described = plugin.abi_stable != 0;
    compare::<T>(header, described).map_err(|reason| {
        rejected(format!(
            "the plugin's interface `{}` is another one than the host's: {reason}",
            T::ID
        ))
    })?;
    // SAFETY: the table has the layout of T, as far as it can be compared, and is static.
    Ok(Some(unsafe { &*header.table.cast::<T>() }))
}

fn compare<T: Interface>(header: &InterfaceHeader, described: bool) -> Result<(), String> {
    if header.size < size_of::<InterfaceHeader>() {
        return Err(format!("its header has {} bytes", header.size));
    }
    // SAFETY: the id is a static text of a library that keeps the rules.
    match unsafe { header.id.open_str() } {
        Ok(id) if id == T::ID => {}
        Ok(id) => return Err(format!("it calls itself `{id}`")),
        Err(error) => return Err(error.report()),
    }
    match header.layout {
        Some(layout) if described => compare_layouts(T::LAYOUT, layout)?,
        None if described => return Err("its layout is not described".into()),
        _ => {}
    }
    if header.table_size != size_of::<T>() {
        let (found, expected) = (header.table_size, size_of::<T>());
        return Err(format!("its table has {found} bytes instead of {expected}"));
    }
    if header.table.is_null() || !header.table.cast::<T>().is_aligned() {
        return Err("its table is null or misaligned".into());
    }
    Ok(())
}

/// Compares what the two look like. Which version of this crate described them is no matter: the
/// name of an interface carries its version.
fn compare_layouts(
    expected: &'static TypeLayout,
    found: &'static TypeLayout,
) -> Result<(), String> {
    let Err(report) = check_layout_compatibility(expected, found) else {
        return Ok(());
    };
    match first_error(&report) {
        Some(reason) => Err(reason),
        None => Ok(()),
    }
}

/// The first difference that matters, in one line: abi_stable's own report has hundreds.
fn first_error(report: &AbiInstabilityErrors) -> Option<String> {
    report.errors.iter().find_map(|error| {
        // A table with another number of fields has another size too, which says less.
        let counts = error
            .errs
            .iter()
            .find(|e| matches!(e, AbiInstability::FieldCountMismatch(_)));
        let difference = counts.into_iter().chain(&error.errs).find_map(difference)?;
        let place = error.stack_trace.first().map(|place| match place.expected {
            TLFieldOrFunction::Field(field) => field.name(),
            TLFieldOrFunction::Function(function) => function.name.as_str(),
        });
        Some(place.map_or_else(
            || difference.clone(),
            |name| format!("`{name}`: {difference}"),
        ))
    })
}

/// One difference in words. None of the version of this crate, see [`compare_layouts`].
fn difference(error: &AbiInstability) -> Option<String> {
    let words = match error {
        AbiInstability::PackageVersion(_) => return None,
        AbiInstability::FieldCountMismatch(count) => {
            format!("{} members instead of {}", count.found, count.expected)
        }
        AbiInstability::Size(size) => {
            format!("{} bytes instead of {}", size.found, size.expected)
        }
        AbiInstability::Name(name) => format!("{} instead of {}", name.found, name.expected),
        AbiInstability::Package(package) => {
            format!(
                "described by {} instead of {}",
                package.found, package.expected
            )
        }
        AbiInstability::UnexpectedField(field) => {
            format!(
                "`{}` instead of `{}`",
                field.found.name(),
                field.expected.name()
            )
        }
        other => {
            let report = format!("{other:?}");
            let name = report.split(|c: char| !c.is_alphanumeric()).next();
            format!("abi_stable says {}", name.unwrap_or_default())
        }
    };
    Some(words)
}

#[cfg(test)]
mod tests {
    use abi_stable::StableAbi;

    use super::*;

    #[derive(StableAbi)]
    #[repr(C)]
    pub struct Table {
        pub mix: Option<unsafe extern "C" fn(gain: f32) -> u32>,
    }

    mod more_fields {
        #[derive(super::StableAbi)]
        #[repr(C)]
        pub struct Table {
            pub mix: Option<unsafe extern "C" fn(gain: f32) -> u32>,
            pub add: Option<unsafe extern "C" fn()>,
        }
    }

    mod other_name {
        #[derive(super::StableAbi)]
        #[repr(C)]
        pub struct Table {
            pub add: Option<unsafe extern "C" fn(gain: f32) -> u32>,
        }
    }

    mod other_argument {
        #[derive(super::StableAbi)]
        #[repr(C)]
        pub struct Table {
            pub mix: Option<unsafe extern "C" fn(gain: f64) -> u32>,
        }
    }

    mod one_argument_less {
        #[derive(super::StableAbi)]
        #[repr(C)]
        pub struct Table {
            pub mix: Option<unsafe extern "C" fn() -> u32>,
        }
    }

    #[test]
    fn a_difference_is_said_in_one_line() {
        let cases = [
            (Table::LAYOUT, None),
            (more_fields::Table::LAYOUT, Some("2 members instead of 1")),
            (other_name::Table::LAYOUT, Some("`add` instead of `mix`")),
            (
                other_argument::Table::LAYOUT,
                Some("`mix`: f64 instead of f32"),
            ),
            (
                one_argument_less::Table::LAYOUT,
                Some("`mix`: 1 members instead of 2"),
            ),
        ];
        for (found, reason) in cases {
            assert_eq!(
                compare_layouts(Table::LAYOUT, found).err().as_deref(),
                reason
            );
        }
    }
}
