//! Who calls whom.

use std::collections::{HashMap, HashSet};
use walrus::ir::{Call, CallIndirect, RefFunc, ReturnCall, ReturnCallIndirect, Visitor, dfs_in_order};
use walrus::{ElementItems, FunctionId, FunctionKind, LocalFunction, Module, TypeId};

/// Some functions of a module.
pub(super) type Functions = HashSet<FunctionId>;

/// Returns the functions from which a call may go out of the module, the imports among them.
pub(super) fn audible(module: &Module) -> Functions {
    let table = Table::of(module);
    let calls: Vec<_> = module.funcs.iter_local().map(|(id, function)| (id, Calls::of(function))).collect();
    let imports = module.funcs.iter().filter(|function| matches!(function.kind, FunctionKind::Import(_)));
    let mut audible: Functions = imports.map(walrus::Function::id).collect();
    loop {
        let before = audible.len();
        for (id, calls) in &calls {
            if calls.callees(&table).any(|callee| audible.contains(&callee)) {
                audible.insert(*id);
            }
        }
        if audible.len() == before {
            return audible;
        }
    }
}

/// The functions that can be called through a table, by their types.
pub(super) struct Table(HashMap<TypeId, Vec<FunctionId>>);

impl Table {
    pub(super) fn of(module: &Module) -> Self {
        let mut by_type: HashMap<_, Vec<_>> = HashMap::new();
        for element in module.elements.iter() {
            if let ElementItems::Functions(functions) = &element.items {
                for id in functions {
                    by_type.entry(module.funcs.get(*id).ty()).or_default().push(*id);
                }
            }
        }
        Self(by_type)
    }
}

/// What one function calls.
#[derive(Default)]
pub(super) struct Calls {
    direct: Functions,
    /// Types of what is called through a table.
    indirect: HashSet<TypeId>,
}

impl Calls {
    pub(super) fn of(function: &LocalFunction) -> Self {
        let mut calls = Self::default();
        dfs_in_order(&mut calls, function, function.entry_block());
        calls
    }

    /// Returns every function that may be called.
    pub(super) fn callees(&self, table: &Table) -> impl Iterator<Item = FunctionId> {
        let indirect = self.indirect.iter().filter_map(|of_type| table.0.get(of_type));
        self.direct.iter().copied().chain(indirect.flatten().copied())
    }
}

impl Visitor<'_> for Calls {
    fn visit_call(&mut self, call: &Call) {
        self.direct.insert(call.func);
    }

    fn visit_return_call(&mut self, call: &ReturnCall) {
        self.direct.insert(call.func);
    }

    fn visit_ref_func(&mut self, reference: &RefFunc) {
        self.direct.insert(reference.func);
    }

    fn visit_call_indirect(&mut self, call: &CallIndirect) {
        self.indirect.insert(call.ty);
    }

    fn visit_return_call_indirect(&mut self, call: &ReturnCallIndirect) {
        self.indirect.insert(call.ty);
    }
}
