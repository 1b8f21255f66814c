//! Where control can go.

use super::calls::Functions;
use std::collections::HashSet;
use walrus::ir::{Instr, InstrSeqId};
use walrus::{LocalFunction, Module};

/// Returns the functions that never return, each followed through calls of the others.
pub(super) fn doomed(module: &Module) -> Functions {
    let mut doomed = Functions::new();
    loop {
        let returns = |function: &LocalFunction| Flow::of(function, &doomed, function.entry_block()).leaves();
        let locals = module.funcs.iter_local().filter(|(id, _)| !doomed.contains(id));
        let more: Vec<_> = locals.filter(|(_, function)| !returns(function)).map(|(id, _)| id).collect();
        if more.is_empty() {
            return doomed;
        }
        doomed.extend(more);
    }
}

/// The ways out of a sequence of instructions.
pub(super) struct Flow<'m> {
    function: &'m LocalFunction,
    /// Functions that never return.
    doomed: &'m Functions,
    /// The sequences that are branched to.
    branches: HashSet<InstrSeqId>,
    returns: bool,
    /// Whether the end of the sequence is reached.
    ends: bool,
}

impl<'m> Flow<'m> {
    pub(super) fn of(function: &'m LocalFunction, doomed: &'m Functions, sequence: InstrSeqId) -> Self {
        let mut flow = Self { function, doomed, branches: HashSet::new(), returns: false, ends: false };
        flow.ends = flow.reaches_end(sequence);
        flow
    }

    /// Returns whether control can leave the sequence at all.
    pub(super) fn leaves(&self) -> bool {
        self.ends || self.returns || !self.branches.is_empty()
    }

    fn reaches_end(&mut self, sequence: InstrSeqId) -> bool {
        self.function.block(sequence).instrs.iter().all(|(instruction, _)| self.goes_on(instruction))
    }

    /// Returns whether control can come to what follows this instruction, and takes note of where else it goes.
    fn goes_on(&mut self, instruction: &Instr) -> bool {
        match instruction {
            Instr::Unreachable(_) => false,
            Instr::Call(call) => !self.doomed.contains(&call.func),
            Instr::Return(_) | Instr::ReturnCall(_) | Instr::ReturnCallIndirect(_) => {
                self.returns = true;
                false
            }
            // Where it goes on from there is not followed: no module of ours catches exceptions.
            Instr::Try(_) | Instr::TryTable(_) | Instr::ReturnCallRef(_) => {
                self.returns = true;
                true
            }
            Instr::Br(_) | Instr::BrTable(_) => {
                self.branches.extend(targets(instruction));
                false
            }
            Instr::Loop(body) => {
                let ends = self.reaches_end(body.seq);
                self.branches.remove(&body.seq); // back to its beginning
                ends
            }
            Instr::Block(_) | Instr::IfElse(_) => {
                let ends = inner(instruction).into_iter().map(|sequence| {
                    let ends = self.reaches_end(sequence);
                    self.branches.remove(&sequence) || ends
                });
                ends.max() == Some(true) // each is followed, whatever the first one does
            }
            _ => {
                self.branches.extend(targets(instruction));
                true
            }
        }
    }
}

/// Returns where this instruction may branch to.
pub(super) fn targets(instruction: &Instr) -> Vec<InstrSeqId> {
    match instruction {
        Instr::Br(branch) => vec![branch.block],
        Instr::BrIf(branch) => vec![branch.block],
        Instr::BrTable(branch) => branch.blocks.iter().copied().chain([branch.default]).collect(),
        Instr::BrOnNull(branch) => vec![branch.block],
        Instr::BrOnNonNull(branch) => vec![branch.block],
        Instr::BrOnCast(branch) => vec![branch.block],
        Instr::BrOnCastFail(branch) => vec![branch.block],
        _ => Vec::new(),
    }
}

/// Returns the sequences inside this instruction.
pub(super) fn inner(instruction: &Instr) -> Vec<InstrSeqId> {
    match instruction {
        Instr::Block(block) => vec![block.seq],
        Instr::Loop(body) => vec![body.seq],
        Instr::IfElse(either) => vec![either.consequent, either.alternative],
        _ => Vec::new(),
    }
}
