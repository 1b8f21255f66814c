use super::shorten;
use walrus::ir::{BinaryOp, Instr};
use walrus::{ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId};
use walrus::{InstrSeqBuilder, LocalId, Module, RefType, ValType};

/// A module with an import `heard: (i32)`, a function `panic: (i32)` that adds, drops and traps, and one exported
/// function of an i32 that does `body` if that is not zero, and returns 7 otherwise.
struct Sample {
    module: Module,
    heard: FunctionId,
    panic: FunctionId,
}

impl Sample {
    fn new() -> Self {
        let mut module = Module::default();
        let of_type = module.types.add(&[ValType::I32], &[]);
        let (heard, _) = module.add_import_func("world", "heard", of_type);
        let argument = module.locals.add(ValType::I32);
        let mut panic = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
        panic.func_body().local_get(argument).i32_const(1).binop(BinaryOp::I32Add).drop().unreachable();
        let panic = panic.finish(vec![argument], &mut module.funcs);
        Self { module, heard, panic }
    }

    fn exports(&mut self, body: impl FnOnce(&mut InstrSeqBuilder<'_>, LocalId)) {
        let argument = self.module.locals.add(ValType::I32);
        let mut function = FunctionBuilder::new(&mut self.module.types, &[ValType::I32], &[ValType::I32]);
        function.func_body().local_get(argument).if_else(None, |then| body(then, argument), |_| ()).i32_const(7);
        let function = function.finish(vec![argument], &mut self.module.funcs);
        self.module.exports.add("function", function);
    }

    /// Returns the functions left, imports included, and the instructions of the exported one's inner sequences.
    fn shortened(mut self) -> (usize, Vec<&'static str>) {
        shorten(&mut self.module);
        let exported = self.module.exports.iter().find_map(|export| match export.item {
            ExportItem::Function(id) => Some(id),
            _ => None,
        });
        let function = self.module.funcs.get(exported.unwrap()).kind.unwrap_local();
        let then = function.block(function.entry_block()).instrs.iter().flat_map(|(instr, _)| super::inner(instr));
        let names = then.flat_map(|seq| function.block(seq).instrs.iter().map(|(instr, _)| name(instr))).collect();
        let count = self.module.funcs.iter().count();
        let bytes = self.module.emit_wasm();
        Module::from_buffer(&bytes).expect("what was shortened is valid");
        (count, names)
    }
}

fn name(instruction: &Instr) -> &'static str {
    match instruction {
        Instr::Unreachable(_) => "trap",
        Instr::Call(_) => "call",
        Instr::Const(_) => "const",
        Instr::LocalGet(_) => "get",
        Instr::BrIf(_) => "branch",
        Instr::Block(_) => "block",
        Instr::Return(_) => "return",
        _ => "other",
    }
}

#[test]
fn a_call_that_never_comes_back_is_a_trap_and_what_prepares_it_goes() {
    let mut sample = Sample::new();
    let panic = sample.panic;
    sample.exports(|then, argument| {
        then.local_get(argument).i32_const(3).binop(BinaryOp::I32Mul).call(panic).unreachable();
    });
    assert_eq!(sample.shortened(), (1, vec!["trap"]));
}

#[test]
fn whoever_calls_what_never_returns_never_returns_either() {
    let mut sample = Sample::new();
    let panic = sample.panic;
    let mut outer = FunctionBuilder::new(&mut sample.module.types, &[], &[]);
    outer.func_body().block(None, |block| {
        block.i32_const(1).call(panic);
    });
    let outer = outer.finish(vec![], &mut sample.module.funcs);
    sample.exports(|then, _| {
        then.call(outer);
    });
    assert_eq!(sample.shortened(), (1, vec!["trap"]));
}

#[test]
fn what_is_heard_outside_before_a_trap_stays() {
    let mut sample = Sample::new();
    let (heard, panic) = (sample.heard, sample.panic);
    sample.exports(|then, argument| {
        then.local_get(argument).call(heard).i32_const(3).call(panic).unreachable();
    });
    assert_eq!(sample.shortened(), (2, vec!["get", "call", "trap"]));
}

#[test]
fn what_control_may_leave_before_a_trap_stays() {
    let mut sample = Sample::new();
    let panic = sample.panic;
    sample.exports(|then, argument| {
        let outer = then.id();
        then.block(None, |block| {
            block.local_get(argument).br_if(outer);
        });
        then.i32_const(3).call(panic).unreachable();
    });
    assert_eq!(sample.shortened(), (1, vec!["block", "trap"]));
}

#[test]
fn a_function_that_may_return_is_still_called() {
    let mut sample = Sample::new();
    let panic = sample.panic;
    let argument = sample.module.locals.add(ValType::I32);
    let mut function = FunctionBuilder::new(&mut sample.module.types, &[ValType::I32], &[]);
    function.func_body().local_get(argument).if_else(
        None,
        |then| {
            then.return_();
        },
        |_| (),
    );
    function.func_body().i32_const(1).call(panic).unreachable();
    let function = function.finish(vec![argument], &mut sample.module.funcs);
    sample.exports(|then, argument| {
        then.local_get(argument).call(function);
    });
    assert_eq!(sample.shortened(), (2, vec!["get", "call"]));
}

/// A table with the import-free functions `() -> ()` and `() -> i32`, and a call through it of the first type alone.
fn with_table(is_exported: bool) -> Vec<bool> {
    let mut sample = Sample::new();
    let called = FunctionBuilder::new(&mut sample.module.types, &[], &[]).finish(vec![], &mut sample.module.funcs);
    let mut other = FunctionBuilder::new(&mut sample.module.types, &[], &[ValType::I32]);
    other.func_body().i32_const(1);
    let other = other.finish(vec![], &mut sample.module.funcs);
    let table = sample.module.tables.add_local(false, 2, Some(2), RefType::FUNCREF);
    let offset = ConstExpr::Value(walrus::ir::Value::I32(0));
    let kind = ElementKind::Active { table, offset };
    let element = sample.module.elements.add(kind, ElementItems::Functions(vec![called, other]));
    sample.module.tables.get_mut(table).elem_segments.insert(element);
    let of_type = sample.module.funcs.get(called).ty();
    sample.exports(|then, argument| {
        then.local_get(argument).call_indirect(of_type, table);
    });
    if is_exported {
        sample.module.exports.add("table", table);
    }
    shorten(&mut sample.module);
    let elements = sample.module.elements.iter().flat_map(|element| match &element.items {
        ElementItems::Functions(functions) => functions.clone(),
        ElementItems::Expressions(..) => Vec::new(),
    });
    let traps = elements.map(|id| {
        let function = sample.module.funcs.get(id).kind.unwrap_local();
        function.block(function.entry_block()).instrs.iter().any(|(instr, _)| matches!(instr, Instr::Unreachable(_)))
    });
    traps.collect()
}

#[test]
fn of_a_table_that_nobody_else_has_only_what_is_called_stays() {
    assert_eq!(with_table(false), [false, true]);
    assert_eq!(with_table(true), [false, false]);
}

#[test]
fn names_of_source_files_are_blanked_and_nothing_else() {
    let mut data = *b"is missing\0token/src/json.rs\0a .rs of words\0core/x-1_0.rs\0.rst\0";
    super::blank_paths(&mut data);
    let blanked = [&b"is missing\0"[..], &[0; 17], b"\0a .rs of words\0", &[0; 13], b"\0.rst\0"].concat();
    assert_eq!(data.to_vec(), blanked);
}
