use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Opaque, Type};

/// Types made of types, equal ones once each: what two places have from here is compared by its address.
///
/// One belongs to each layer of an environment, with the types of its variables, and does not change after the layer is
/// built; a check keeps what it makes itself in a list of its own. So nothing outlives the environment or the check that
/// it belongs to, and nothing is locked.
#[derive(Debug, Default)]
pub struct Interner {
    known: BTreeSet<Type>,
}

impl Interner {
    /// The type that stands for all that are equal to this one, if there is one already.
    pub fn get(&self, ty: &Type) -> Option<&Type> {
        self.known.get(ty)
    }

    /// The type that stands for all that are equal to this one, here or in what is `inherited`. Its parts are such types
    /// too.
    pub fn intern(&mut self, ty: &Type, inherited: &dyn Fn(&Type) -> Option<Type>) -> Type {
        if !ty.is_compound() {
            return ty.clone();
        }
        if let Some(known) = self.known.get(ty).cloned().or_else(|| inherited(ty)) {
            return known;
        }
        let mut part = |part: &Type| self.intern(part, inherited);
        let made = match ty {
            Type::List(element) => Type::list(part(element)),
            Type::Map(entry) => Type::map(part(&entry.0), part(&entry.1)),
            Type::Type(Some(inner)) => Type::type_of(part(inner)),
            Type::Opaque(opaque) => {
                let params = opaque.params.iter().map(part).collect();
                Type::Opaque(Arc::new(Opaque { name: opaque.name.clone(), params }))
            }
            other => other.clone(),
        };
        self.known.insert(made.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ty: &Type) -> *const () {
        match ty {
            Type::List(element) => Arc::as_ptr(element).cast(),
            Type::Map(entry) => Arc::as_ptr(entry).cast(),
            other => panic!("{other} is no list and no map"),
        }
    }

    #[test]
    fn equal_types_are_one() {
        let mut outer = Interner::default();
        let nothing = |_: &Type| None;
        let list = outer.intern(&Type::list(Type::Int), &nothing);
        assert_eq!(address(&list), address(&outer.intern(&Type::list(Type::Int), &nothing)));
        // also as a part of another type, and where the layer above has it
        let mut inner = Interner::default();
        let map = inner.intern(&Type::map(Type::String, Type::list(Type::Int)), &|ty| outer.get(ty).cloned());
        let Type::Map(entry) = &map else { panic!("{map}") };
        assert_eq!(address(&entry.1), address(&list));
        assert_eq!(inner.get(&list), None);
        assert_ne!(address(&list), address(&outer.intern(&Type::list(Type::String), &nothing)));
    }
}
