//! Stage 3: CEL expressions.

codes! {
    /// An expression does not follow the grammar of CEL.
    SYNTAX = 3001 "malformed expression";
    /// A `${` that no `}` ends, or one inside another.
    DELIMITER = 3002 "malformed ${...}";
    /// A name that is neither a resource nor a variable.
    UNKNOWN_IDENTIFIER = 3003 "unknown identifier";
    /// A function that does not exist.
    UNKNOWN_FUNCTION = 3004 "unknown function";
    /// A field that the type does not have.
    UNKNOWN_FIELD = 3005 "unknown field in an expression";
    /// Types that do not agree inside an expression.
    TYPE = 3006 "type error in an expression";
    /// A condition or loop with text around its expression.
    NOT_STANDALONE = 3007 "text around an expression that must stand alone";
    /// A condition that does not give a boolean.
    NOT_BOOLEAN = 3008 "condition is not boolean";
    /// `omit()` where nothing can be omitted.
    OMIT = 3009 "misplaced omit()";
    /// `runtime` outside conditions, or used wrongly.
    RUNTIME = 3010 "misuse of runtime";
    /// A call with a literal argument that the function refuses.
    ARGUMENT = 3011 "illegal argument";
    /// An expression is larger than allowed.
    LIMIT = 3012 "expression beyond the limits";
}
