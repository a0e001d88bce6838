# The examples with event loops, and with servers that bring their own loop, each if its library is installed.
find_package(PkgConfig)
set(here ${CMAKE_CURRENT_LIST_DIR})

holdfast_program(epoll-http SOURCES ${here}/epoll-http.cpp LINKS holdfast::sdk)
if(NOT PKG_CONFIG_FOUND)
  return()
endif()

pkg_check_modules(LIBUV IMPORTED_TARGET GLOBAL libuv>=1.44)
if(LIBUV_FOUND)
  holdfast_program(libuv-http SOURCES ${here}/libuv-http.cpp LINKS holdfast::sdk PkgConfig::LIBUV)
endif()

pkg_check_modules(LIBEVENT IMPORTED_TARGET GLOBAL libevent_core>=2.1 libevent_extra)
if(LIBEVENT_FOUND)
  holdfast_program(libevent-http SOURCES ${here}/libevent-http.cpp LINKS holdfast::sdk PkgConfig::LIBEVENT)
endif()

pkg_check_modules(MICROHTTPD IMPORTED_TARGET GLOBAL libmicrohttpd>=0.9.75)
if(MICROHTTPD_FOUND)
  holdfast_program(microhttpd-http SOURCES ${here}/microhttpd-http.cpp LINKS holdfast::sdk PkgConfig::MICROHTTPD)
endif()

pkg_check_modules(GRPC IMPORTED_TARGET GLOBAL grpc++>=1.51)
if(GRPC_FOUND AND NOT HOLDFAST_SANITIZE)  # its headers are slow to compile, and the library is not instrumented
  holdfast_program(grpc-hello SOURCES ${here}/grpc-hello.cpp LINKS holdfast::sdk PkgConfig::GRPC)
endif()
