//! What the tables of instances have in common: each function is a body between guards.

/// Stores the answer of a body, if it has one.
macro_rules! keep {
    ($answer:expr,) => {
        Ok($answer)
    };
    ($answer:expr, $place:ident: $result:ty) => {
        store::<$result>($place, $answer)
    };
}

/// Serves a table whose functions run on an instance of one kind. A body may use `?` and gives the
/// answer. What it is `taking` belongs to this side whether the body comes to run or not.
macro_rules! serve {
    ($table:ident: $kind:ident {
        $($method:ident($instance:ident $(, $argument:ident: $type:ty)*) $(taking $taken:ident)?
            $(-> $result:ty)? $body:block)*
    }) => {
        impl Served for $table {
            const TABLE: &'static Self = {
                $(
                    unsafe extern "C" fn $method(
                        instance: *const Instance,
                        $($argument: $type,)*
                        $(result: *mut $result,)?
                        message: *mut Message,
                    ) -> Status {
                        // SAFETY: the host keeps the rules of the wire: the handle is alive and of
                        // this kind, the arguments are what they claim to be during the call, the
                        // places are null or may be written.
                        unsafe {
                            $(let $taken = $taken.take();)?
                            on_instance::<dyn $kind>(instance, message, |$instance| {
                                keep!($body, $(result: $result)?)
                            })
                        }
                    }
                )*
                &$table { $($method: Some($method)),* }
            };
        }
    };
}

pub(super) use {keep, serve};
