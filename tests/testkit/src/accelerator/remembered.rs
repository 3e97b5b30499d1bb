//! What does not depend on the backend: computed for the first one, kept for those after it.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The type of the samples and of the value, what it is, and for which sizes.
type Key = (TypeId, &'static str, [usize; 2]);

thread_local! {
    static VALUES: RefCell<HashMap<Key, Rc<dyn Any>>> = RefCell::default();
}

/// What `compute` gave when it was first called for this key on this thread.
pub(super) fn remembered<T: 'static, V: 'static>(
    what: &'static str,
    sizes: [usize; 2],
    compute: impl FnOnce() -> V,
) -> Rc<V> {
    let key = (TypeId::of::<(T, V)>(), what, sizes);
    let known = VALUES.with_borrow(|values| values.get(&key).cloned());
    if let Some(value) = known.and_then(|known| known.downcast().ok()) {
        return value;
    }
    let value = Rc::new(compute());
    VALUES.with_borrow_mut(|values| values.insert(key, Rc::clone(&value) as _));
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_computed_once() {
        let value = |what, size, value: u8| *remembered::<f32, u8>(what, [size, 0], || value);
        assert_eq!(value("a", 1, 1), 1);
        assert_eq!(value("a", 1, 2), 1);
        assert_eq!((value("a", 2, 3), value("b", 1, 4)), (3, 4));
        assert_eq!(*remembered::<f64, u8>("a", [1, 0], || 5), 5);
        assert_eq!(*remembered::<f32, u16>("a", [1, 0], || 6), 6);
    }
}
