"""Every diagnostic code: a number with a word, what it means, a bad example and its mend.

A code never changes its meaning. The hundreds say which stage speaks: 0 files and addresses, 1 text,
2 the form of a spec, 3 shapes and operators, 4 names and macros, 5 expressions, 6 expectations, 7 limits, 8 machine,
9 lint.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A stable number and word for one kind of mistake."""

    id: str
    word: str
    explanation: str
    bad: str = ""
    good: str = ""


FILE_NOT_FOUND = Code("E001", "file-not-found", "The file that the address names does not exist or cannot be read.")
UNKNOWN_SPEC = Code("E002", "unknown-spec", "No shipped or local spec has this name, and it is not a path.")
UNKNOWN_VARIANT = Code("E003", "unknown-variant", "The family has no variant of this name.")
VARIANT_NEEDED = Code("E004", "variant-needed", "The family has several variants, none of them the default; name one, as in `vgg:D`.")
UNKNOWN_PARAMETER = Code("E005", "unknown-parameter", "A value was given for a parameter that the spec does not declare.")
BAD_CALL = Code("E006", "bad-call", "The command line is wrong: a command, option or argument is missing or unknown, or an option has a value that it cannot take.", "archc check --strct vgg", "archc check --strict vgg")

YAML_SYNTAX = Code("E101", "yaml-syntax", "The text is not well-formed YAML.", "layers: [conv: 3", "layers: [conv: 3]")
UNQUOTED_EXPRESSION = Code(
    "E102",
    "unquoted-expression",
    "In flow style (inside `{...}` or `[...]`) YAML ends a plain text at a comma, bracket or brace, so an expression or sentence that holds one must be quoted.",
    "conv: {filters: $(max(8, width))}",
    'conv: {filters: "$(max(8, width))"}',
)
DUPLICATE_KEY = Code("E103", "duplicate-key", "A mapping has one key twice; YAML readers would keep one of them in silence.", "{filters: 64, filters: 32}", "{filters: 64}")
TAG = Code("E104", "tag", "YAML tags are not part of the language: every value is read by one rule.", "filters: !!int 64", "filters: 64")
TAB = Code("E105", "tab", "YAML does not allow tabs in indentation.")
MERGE_KEY = Code("E106", "merge-key", "Merge keys (`<<`) are not part of the language; macros and `params` do their job.")
NOT_UTF8 = Code("E107", "not-utf8", "A spec is a UTF-8 text.")
DIRECTIVE = Code("E108", "directive", "YAML directives (`%YAML`, `%TAG`) are not part of the language.")
SEVERAL_DOCUMENTS = Code("E109", "several-documents", "A file holds one spec; a second document would be ignored.")
EMPTY_SPEC = Code("E110", "empty-spec", "The file holds no spec: it is empty, or only comments.")
ALIAS = Code("E111", "alias", "An alias names no anchor above it, or the value that it stands in; or an anchor is set twice.")
KEY_NOT_TEXT = Code("E112", "key-not-text", "A mapping's keys are words, not lists, mappings or nothing.")
CHARACTER = Code("E113", "character", "The text holds a character that is invisible or not allowed where it stands.")

UNKNOWN_KEY = Code("E201", "unknown-key", "The key is not part of the language here; it would have been ignored.", "layer: []", "layers: []")
MISSING_KEY = Code("E202", "missing-key", "A required key or argument is not there.", "conv: {kernel: 3}", "conv: {filters: 64, kernel: 3}")
WRONG_TYPE = Code("E203", "wrong-type", "The value is of another type than the one expected; values are never converted.", 'conv: {filters: "64"}', "conv: {filters: 64}")
WRONG_VALUE = Code("E204", "wrong-value", "The value is of the right type, and out of the range or set that is allowed.", "conv: {filters: 0}", "conv: {filters: 64}")
LANGUAGE_VERSION = Code("E205", "language-version", "`archc:` states the version of the language that the spec is written in.", "archc: 2", "archc: 1")
STEP_FORM = Code("E206", "step-form", "A step is a word, or a mapping with exactly one operation and any of the step keys.", "{conv: 3, relu: }", "- conv: 3\n- relu")
UNKNOWN_OPERATION = Code("E207", "unknown-operation", "No operator, macro or notation cell has this name.", "- covn: 64", "- conv: 64")
UNKNOWN_ARGUMENT = Code("E208", "unknown-argument", "The operation has no parameter of this name.", "conv: {filters: 8, kernal: 3}", "conv: {filters: 8, kernel: 3}")
TOO_MANY_ARGUMENTS = Code("E209", "too-many-arguments", "The list has more items than the operation has positional parameters.", "dense: [10, relu, 3]", "dense: [10, relu]")
BRANCH_FORM = Code("E210", "branch-form", "A merge takes a list of tensors, named branches, or both in a list under `branches`.", "add: 3", "add: [_, input]")
LOOP_FORM = Code("E211", "loop-form", "A loop is `repeat: N`, or `for: name in list`; a row is a list in that order or a mapping with those keys.", "for: [a, b]", "for: a, b in rows")
NAME_FORM = Code("E212", "name-form", "A name of a tensor or branch is made of letters, digits and `_`; a value's name is an identifier.", "as: my-name", "as: my_name")
USE = Code("E213", "use", "A library in `use:` is a spec with macros and no layers, inside the allowed folders.")
MACRO_FORM = Code("E214", "macro-form", "A macro declares `params`, `let`, `inputs`, `outputs`, `doc` and a `body`.")
PARAMETER_FORM = Code("E215", "parameter-form", "A parameter is a type word, a default, or a mapping of `type` or `list`, `default`, `min`, `max`, `enum`, `doc`.")

DATA_DOES_NOT_FIT = Code("E250", "data-does-not-fit", "The examples of a recipe, after its preparation, are not what its network takes; or its classes are not the network's outputs.", "network: alexnet:2012\ndata: cifar10", "network: alexnet:cifar10\ndata: cifar10\nprepare: [{resize: 227}]")

SHAPES_DIFFER = Code("E301", "shapes-differ", "The operation needs inputs of one shape (but for the axis it joins), and these differ.", "add: {a: [conv: 8], b: [conv: 16]}", "add: {a: [conv: 8], b: [conv: 8]}")
RANK = Code("E302", "rank", "The input has another number of axes than the operation works on.", "- flatten\n- conv: 8", "- conv: 8\n- flatten")
DOES_NOT_FIT = Code("E303", "does-not-fit", "The window, crop or slice is larger than the tensor it is laid on.")
DOES_NOT_DIVIDE = Code("E304", "does-not-divide", "A number of channels or elements cannot be divided into that many equal parts.")
UNKNOWN_SIZE = Code("E305", "unknown-size", "The operation needs a size that the input leaves open (`null`).")
INPUT_COUNT = Code("E306", "input-count", "The operation takes another number of inputs.")
AXIS = Code("E307", "axis", "The tensor has no such axis.")
ELEMENTS_DIFFER = Code("E308", "elements-differ", "A reshape must keep the number of elements.")
SHARE = Code("E309", "share", "Steps that share weights must have the same operation, arguments and input channels, and be trained or frozen together.")
SAME_TENSOR = Code("E310", "same-tensor", "A tensor is added to or multiplied by itself: nearly always a shortcut that lost its way.")
COMBINATION = Code("E311", "combination", "Two options of the operation do not go together.")
ESCAPE = Code("E312", "escape", "What the spec states of a `keras:` or `layer:` step does not hold, or its module is not allowed.")

UNKNOWN_TENSOR = Code("E401", "unknown-tensor", "No tensor of this name can be seen from here.", "from: enc9", "from: enc1")
NAME_TAKEN = Code("E402", "name-taken", "The name is bound already, or belongs to the language: tensors, values and inputs share one namespace.", "params: {width: 8}\nlayers: [{conv: 8, as: width}]", "params: {width: 8}\nlayers: [{conv: 8, as: wide}]")
RECURSION = Code("E403", "recursion", "A macro, library or variant leads back to itself.")
AMBIGUOUS_NOTATION = Code("E404", "ambiguous-notation", "Two notation patterns match the same cell.")
LAYER_NAME = Code("E405", "layer-name", "Two layers would have the same name.")
NO_FLOW = Code("E406", "no-flow", "There is no flowing tensor here: a network or macro with several inputs starts with `from`.")
UNKNOWN_OUTPUT = Code("E407", "unknown-output", "`outputs` names a tensor that no step made.")
UNUSED_MACRO = Code("W408", "unused-macro", "The macro is not used by any variant.")
UNUSED_PARAMETER = Code("W409", "unused-parameter", "The parameter is declared and never read.")
UNREACHED = Code("W410", "unreached", "The tensor reaches no output; it is left out of the network and its counts.")
NO_LAYERS = Code("E411", "no-layers", "The network's output is its input: it has no layer.")
UNUSED_INPUT = Code("E412", "unused-input", "A declared input reaches no output.")

EXPRESSION_SYNTAX = Code("E501", "expression-syntax", "The expression is not well-formed.", "$(1 +)", "$(1 + 1)")
NOT_ALLOWED = Code("E502", "not-allowed", "Expressions are arithmetic, comparisons, lists, fields and a few functions; nothing else.", "$(open('x'))", "$(max(1, 2))")
UNKNOWN_VALUE = Code("E503", "unknown-value", "No value of this name can be seen from here.", "$widht", "$width")
EXPRESSION_TYPE = Code("E504", "expression-type", "The operation does not work on values of this type.", "$('a' + 1)", "$(1 + 1)")
EXPRESSION_VALUE = Code("E505", "expression-value", "The operation has no result for these values (division by zero, an index out of range, a missing field).", "$(1 / 0)", "$(1 / 2)")

EXPECTATION = Code("E601", "expectation", "What `expect:` states is not true of the compiled network.", "expect: {params: 1}", "expect: {params: 61706}")
NOT_APPLICABLE = Code("W602", "not-applicable", "Parameters were set from outside, so `expect:` was not checked.")
OVER_BUDGET = Code("E603", "over-budget", "The network costs more than the limits of the call allow (`--max-params`, `--max-macs`, `--max-memory`), or what it costs is unknown.", "archc check lenet --max-params 50k", "archc check lenet --max-params 100k")

LIMIT_FILE = Code("E701", "limit-file", "A spec is at most 1 MiB; its libraries are at most 16 MiB in 256 files.")
LIMIT_NESTING = Code("E702", "limit-nesting", "Lists and mappings nest at most 64 deep.")
LIMIT_ALIASES = Code("E703", "limit-aliases", "Aliases may add at most 100,000 values to a spec.")
LIMIT_EXPRESSION = Code("E704", "limit-expression", "An expression has at most 2,000 characters and 50 levels, its lists 100,000 items, and the expressions of one network take no more than its steps may.")
LIMIT_MAGNITUDE = Code("E705", "limit-magnitude", "A number is at most 10^12 in magnitude.")
LIMIT_DEPTH = Code("E706", "limit-depth", "Macro calls nest at most 64 deep.")
LIMIT_NODES = Code("E707", "limit-nodes", "A network has at most 120,000 nodes, and takes at most 500,000 steps to write out, of which a node counts as three.")
LIMIT_REPEAT = Code("E708", "limit-repeat", "A loop runs at most 100,000 times.")
LIMIT_WEIGHTS = Code("E710", "limit-weights", "A network has at most 10^11 weights: 400 GB as 32-bit numbers.")
LIMIT_VARIANTS = Code("E711", "limit-variants", "The networks of one file that are checked together take at most as many steps as one network may; check a few at a time.")
LIMIT_NAME = Code("E709", "limit-name", "A name has at most 128 characters, the name of a tensor or layer at most 512, a text at most 10,000.")

CANNOT_WRITE = Code("E801", "cannot-write", "The machine refused to write an output; what was there before is whole.")
ENGINE = Code("E802", "engine", "No diagram engine is at hand, or it failed.")
WEIGHTS = Code("E804", "weights", "The weights in a file are not those of the network: their number, order or shapes differ, or the file is none that is read.")
NO_FRAMEWORK = Code("E803", "no-framework", "This needs Keras, or the framework that computes for it, and that is not installed.", "", "pip install 'archc[tensorflow]'")
NO_CHARTS = Code("E805", "no-charts", "Pictures of comparisons need vl-convert, which is not installed.", "", "pip install 'archc[charts]'")
NO_PACKAGE = Code("E806", "no-package", "This needs a package that archc does without elsewhere, and that is not installed; the hint says how to install it.", "archc sweep resnet --set width=1,2 -o nets.parquet", "pip install 'archc[parquet]'")

DATA = Code("E850", "data", "A data set's files are missing, damaged, or not what they should be.")
RESUME_DIFFERS = Code("E851", "resume-differs", "A run cannot go on: the recipe, the network or the data is not that of its checkpoints.", "archc train lenet-digits -o run --resume --set batch=64", "archc train lenet-digits -o run --fresh --set batch=64")
DIVERGED = Code("E852", "diverged", "The loss is no longer a finite number; the last good checkpoint is kept.")
OUT_OF_MEMORY = Code("E853", "out-of-memory", "A training step needs more memory than the machine has.")
RUN_FOLDER = Code("E854", "run-folder", "The folder of a run is in use by another training, or holds files that are not a run's.")
SPREAD = Code("E855", "spread", "A training cannot be spread over devices or processes as it was asked, or the processes did not come together.", "archc train lenet-digits --distribute data --set batch=33", "archc train lenet-digits --distribute data --set batch=32")

BROADCAST = Code("W901", "broadcast", "A merge other than `multiply` stretches one input over another.")
CONCAT_SAME = Code("W902", "concat-same", "A tensor is joined to itself.")
CHANNELS_FIRST = Code("W903", "channels-first", "The shape of an input looks like one with its channels first; shapes end with the channels.", "input: [3, 224, 224]", "input: [224, 224, 3]")
BIAS_BEFORE_NORM = Code("W904", "bias-before-norm", "The bias of a layer right before `batch_norm` has no effect: the mean that is subtracted holds it.", "- conv: [64, 3]\n- batch_norm", "- conv: {filters: 64, kernel: 3, bias: false}\n- batch_norm")
STRIDE_OVER_KERNEL = Code("W905", "stride-over-kernel", "The stride is larger than the window, so that positions between the windows are never read. Windows of one position, as in projections, are not told.", "conv: {filters: 64, kernel: 3, stride: 4}", "conv: {filters: 64, kernel: 5, stride: 4}")
PIXELS_DROPPED = Code("W906", "pixels-dropped", "The windows of a pooling end before its input does: the last rows or columns are never read.", "input: [7, 7, 8]\nlayers: [max_pool: 2]", "input: [7, 7, 8]\nlayers: [max_pool: {size: 2, rounding: ceil}]")
WEIGHTS_IN_PADDING = Code("W907", "weights-in-padding", "The feature map is smaller than the kernel's reach: some of the kernel's weights meet nothing but padding.", "input: [1, 1, 8]\nlayers: [conv: [8, 3, 1, same]]", "input: [1, 1, 8]\nlayers: [conv: [8, 1]]")
LONE_SOFTMAX = Code("W908", "lone-softmax", "A softmax over one value is 1, whatever the value.", "dense: [1, softmax]", "dense: [1, sigmoid]")
ACTIVATION_TWICE = Code("W909", "activation-twice", "An activation is applied to the result of another one: nearly always the layer has it already.", "- conv: {filters: 8, activation: relu}\n- relu", "- conv: {filters: 8, activation: relu}")
DROPOUT_RATE = Code("W910", "dropout-rate", "The rate is the probability with which a value is dropped, and this one leaves nearly nothing.", "dropout: 0.95", "dropout: 0.05")
DENSE_ON_MAP = Code("W911", "dense-on-map", "The network ends in a dense layer on a feature map: it works at each position by itself, and gives a map of predictions.", "layers: [conv: 8, dense: 10]", "layers: [conv: 8, flatten, dense: 10]")
NORM_MOMENTUM = Code("W912", "norm-momentum", "The momentum is how much of the moving mean is kept at each step, as in Keras; PyTorch states one minus that.", "batch_norm: {momentum: 0.1}", "batch_norm: {momentum: 0.9}")
UNUSED_ALLOWANCE = Code("W913", "unused-allowance", "A warning is allowed that nothing gives.")

CODES: dict[str, Code] = {
    one.id: one for one in list(globals().values()) if isinstance(one, Code)
}
"""Every code by its number, in the order of this file."""
