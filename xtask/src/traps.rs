//! Takes out of a module what only prepares a trap.
//!
//! A panic ends in a trap, and nobody reads the message that is written before it: there is nowhere to write to, and an
//! instance that has trapped is replaced by a new one (pkg/src/instance.js). rustc's stable releases cannot build the
//! standard library without those messages, so they are removed here: a call that never comes back becomes `unreachable`,
//! with everything right before it that nobody outside can tell from nothing, and what nothing calls any more goes.
//!
//! Every path through a function that returned before returns the same as before; every other one ends in a trap, also
//! where it would have thrown an exception into JavaScript, or never ended.

mod calls;
mod flow;

use calls::{Calls, Functions, Table};
use flow::{Flow, inner, targets};
use std::collections::HashSet;
use walrus::ir::{Instr, InstrSeqId, Unreachable};
use walrus::{ElementItems, ExportItem, FunctionBuilder, FunctionId, FunctionKind, LocalFunction, Module};

/// Makes a plain trap of everything in `module` that cannot but trap, and drops what is not called any more.
pub(crate) fn shorten(module: &mut Module) {
    let doomed = flow::doomed(module);
    let audible = calls::audible(module);
    for (id, function) in module.funcs.iter_local_mut() {
        let entry = function.entry_block();
        if doomed.contains(&id) {
            replace_by_trap(function, entry, 0);
        } else {
            Shortening { doomed: &doomed, audible: &audible, function }.shorten(entry);
        }
    }
    empty_uncalled(module);
    let data: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
    for id in data {
        blank_paths(&mut module.data.get_mut(id).value);
    }
    walrus::passes::gc::run(module);
}

/// Makes zeros of the names of source files: a panic's message says where it was, and nothing else reads them.
fn blank_paths(data: &mut [u8]) {
    let is_path = |text: &[u8]| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
        text.ends_with(b".rs") && text.iter().all(plain)
    };
    for text in data.split_mut(|&byte| byte == 0).filter(|text| is_path(text)) {
        text.fill(0);
    }
}

/// Puts a trap in the place of everything in this sequence from `begin` on.
fn replace_by_trap(function: &mut LocalFunction, sequence: InstrSeqId, begin: usize) {
    let sequence = function.block_mut(sequence);
    sequence.instrs.truncate(begin);
    sequence.instrs.push((Instr::Unreachable(Unreachable {}), walrus::ir::InstrLocId::default()));
}

/// One function that may return, being shortened.
struct Shortening<'m> {
    /// Functions that never return.
    doomed: &'m Functions,
    /// Functions that may call out of the module.
    audible: &'m Functions,
    function: &'m mut LocalFunction,
}

impl Shortening<'_> {
    /// Shortens this sequence and those inside.
    fn shorten(&mut self, sequence: InstrSeqId) {
        let inside: Vec<_> = self.instructions(sequence).flat_map(inner).collect();
        for sequence in inside {
            self.shorten(sequence);
        }
        let Some(trap) = self.instructions(sequence).position(|instruction| self.only_traps(instruction)) else {
            return;
        };
        let before: Vec<_> = self.instructions(sequence).take(trap).collect();
        let begin = before.iter().rposition(|instruction| !self.is_silent(instruction)).map_or(0, |at| at + 1);
        replace_by_trap(self.function, sequence, begin);
    }

    fn instructions(&self, sequence: InstrSeqId) -> impl DoubleEndedIterator<Item = &Instr> {
        self.function.block(sequence).instrs.iter().map(|(instruction, _)| instruction)
    }

    fn only_traps(&self, instruction: &Instr) -> bool {
        let leaves = |sequence: InstrSeqId| Flow::of(self.function, self.doomed, sequence).leaves();
        match instruction {
            Instr::Unreachable(_) => true,
            Instr::Call(call) => self.doomed.contains(&call.func),
            Instr::Block(block) => !leaves(block.seq),
            Instr::IfElse(either) => !leaves(either.consequent) && !leaves(either.alternative),
            _ => false,
        }
    }

    /// Whether nobody can tell, after a trap, if this was executed before it: it calls nothing outside and control does
    /// not leave it for somewhere else.
    fn is_silent(&self, instruction: &Instr) -> bool {
        let (mut labels, mut branches) = (HashSet::new(), HashSet::new());
        self.is_silent_inside(instruction, &mut labels, &mut branches) && branches.is_subset(&labels)
    }

    fn is_silent_inside(
        &self,
        instruction: &Instr,
        labels: &mut HashSet<InstrSeqId>,
        branches: &mut HashSet<InstrSeqId>,
    ) -> bool {
        match instruction {
            Instr::Call(call) => !self.audible.contains(&call.func),
            Instr::Br(_) | Instr::BrIf(_) | Instr::BrTable(_) => {
                branches.extend(targets(instruction));
                true
            }
            Instr::Block(_) | Instr::Loop(_) | Instr::IfElse(_) => inner(instruction).into_iter().all(|sequence| {
                labels.insert(sequence);
                self.instructions(sequence).all(|inside| self.is_silent_inside(inside, labels, branches))
            }),
            _ => is_plain(instruction),
        }
    }
}

/// Whether this touches nothing but the stack and the module's own locals, globals and memory. Instructions that are not
/// named here are taken to do more.
fn is_plain(instruction: &Instr) -> bool {
    matches!(
        instruction,
        Instr::LocalGet(_)
            | Instr::LocalSet(_)
            | Instr::LocalTee(_)
            | Instr::GlobalGet(_)
            | Instr::GlobalSet(_)
            | Instr::Const(_)
            | Instr::Unop(_)
            | Instr::Binop(_)
            | Instr::Select(_)
            | Instr::Drop(_)
            | Instr::Load(_)
            | Instr::Store(_)
            | Instr::MemoryCopy(_)
            | Instr::MemoryFill(_)
            | Instr::Unreachable(_)
    )
}

/// Puts one trap in the place of all functions in the table that no indirect call can reach: their types are called nowhere.
fn empty_uncalled(module: &mut Module) {
    // Whoever is given the table may call everything in it.
    if module.exports.iter().any(|export| matches!(export.item, ExportItem::Table(_))) {
        return;
    }
    let table = Table::of(module);
    let called = called(module, &table);
    let mut trap = FunctionBuilder::new(&mut module.types, &[], &[]);
    trap.func_body().unreachable();
    let trap = trap.finish(Vec::new(), &mut module.funcs);
    for element in module.elements.iter_mut() {
        if let ElementItems::Functions(functions) = &mut element.items {
            for id in functions.iter_mut().filter(|id| !called.contains(id)) {
                *id = trap;
            }
        }
    }
}

/// Returns the functions that a call from outside can lead to.
fn called(module: &Module, table: &Table) -> Functions {
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) => Some(id),
        _ => None,
    });
    let mut open: Vec<FunctionId> = exported.chain(module.start).collect();
    let mut called = Functions::new();
    while let Some(id) = open.pop() {
        if called.insert(id)
            && let FunctionKind::Local(function) = &module.funcs.get(id).kind
        {
            open.extend(Calls::of(function).callees(table));
        }
    }
    called
}

#[cfg(test)]
mod tests;
