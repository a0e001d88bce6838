// What the pages take for granted in C++.
#include "readme/around_examples.hpp"

#include <cstdlib>

inline const char* address() { return std::getenv("HELLO_ADDRESS"); }
