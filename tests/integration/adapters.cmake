# The SDK's adapters under load, each by its example. Mostly waiting: they run beside each other.
set(adapter_examples
    hello-http
    threads-http
    httplib-http
    libevent-http
    libuv-http
    microhttpd-http
    epoll-http)

holdfast_test(
  adapters_test
  SOURCES ${common} adapters_test.cpp
  LINKS ${links}
  LABELS adapters
  TIMEOUT 180)
add_dependencies(adapters_test holdfast)
foreach(example ${adapter_examples})
  if(TARGET ${example})
    add_dependencies(adapters_test ${example})
  endif()
endforeach()

if(TARGET grpc-hello)
  holdfast_test(
    grpc_test
    SOURCES ${common} grpc_test.cpp
    LINKS ${links} PkgConfig::GRPC
    LABELS adapters
    TIMEOUT 180)
  add_dependencies(grpc_test holdfast grpc-hello)
endif()
