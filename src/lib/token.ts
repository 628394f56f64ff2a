// The token of HTTP (RFC 9110, section 5.6.2): header names, and sub-protocols (RFC 6455, section 4.1).

export const tokenPattern: RegExp = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** For people: what a token may hold. */
export const tokenCharacters = "letters, digits and !#$%&'*+-.^_`|~";
