// The one place where Asio is compiled: everybody else sees BOOST_ASIO_SEPARATE_COMPILATION.
#include <boost/asio/impl/src.hpp>
