"""Acts on a case as forms: what each will do, what it asks for, and how it is carried out, once."""
