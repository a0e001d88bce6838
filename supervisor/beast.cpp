// The one place where Beast is compiled: everybody else sees BOOST_BEAST_SEPARATE_COMPILATION.
#include <boost/beast/src.hpp>
