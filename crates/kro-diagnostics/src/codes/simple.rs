//! Stage 2: SimpleSchema, the notation for the fields of an instance.

codes! {
    /// A field is neither a text nor a map.
    FIELD = 2001 "field that is no type";
    /// The text of a type cannot be read.
    TYPE = 2002 "malformed type";
    /// A type is neither built in nor declared.
    UNKNOWN_TYPE = 2003 "unknown type";
    /// The text of the markers cannot be read.
    MARKER_SYNTAX = 2004 "malformed markers";
    /// There is no such marker.
    UNKNOWN_MARKER = 2005 "unknown marker";
    /// The value of a marker cannot be read.
    MARKER_VALUE = 2006 "unusable marker value";
    /// A marker stands on a type it is not for.
    MARKER_TYPE = 2007 "marker on the wrong type";
    /// Markers exclude each other.
    CONTRADICTION = 2008 "contradictory markers";
    /// A default value does not fit its field.
    DEFAULT = 2009 "default that does not fit";
    /// A named type holds itself.
    CYCLE = 2010 "type that holds itself";
    /// The keys of list items are unusable.
    LIST_MAP = 2011 "unusable key of list items";
    /// A marker has no effect on its type.
    NO_EFFECT = 2012 "marker without effect";
    /// A map marked by `$openapi: true` is no schema.
    OPENAPI = 2013 "malformed OpenAPI schema";
    /// A named type has the name of a built-in one.
    SHADOWED = 2014 "type that can never be meant";
    /// There are spaces in the key of a marker.
    SPLIT_KEY = 2015 "marker key with spaces";
    /// The rule of a `validation` marker is no CEL expression.
    RULE = 2016 "malformed validation rule";
}
