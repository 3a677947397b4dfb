"""The rules of a package: the stream it is made from, the seal it must agree with, its layout and its description."""
