# The adapters of the SDK under load, each with its example, without sanitizers. The tests mostly wait, so they run in
# parallel. With sanitizers, tests/unit/sdk tests the adapters stage by stage instead.
if(HOLDFAST_SANITIZE)
  return()
endif()
set(adapter_examples
    hello-http
    threads-http
    httplib-http
    libevent-http
    libuv-http
    microhttpd-http
    epoll-http)
# The examples of Python and Node are scripts in the directory of the programs.
set(binding_examples python-threads-http python-asyncio-http)
if(TARGET holdfast_node)
  list(APPEND binding_examples node-http)
endif()

holdfast_test(
  adapters_test
  SOURCES ${common} adapters_test.cpp
  LINKS ${links}
  LABELS adapters
  TIMEOUT 180)
list(JOIN adapter_examples " " cxx_names)
list(JOIN binding_examples " " binding_names)
target_compile_definitions(adapters_test PRIVATE HOLDFAST_ADAPTER_EXAMPLES="${cxx_names} ${binding_names}")
add_dependencies(adapters_test holdfast)
foreach(target ${adapter_examples} holdfast_c holdfast_node)
  if(TARGET ${target})
    add_dependencies(adapters_test ${target})
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
