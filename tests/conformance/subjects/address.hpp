#include <cstdlib>

inline const char* address() { return std::getenv("HELLO_ADDRESS"); }
