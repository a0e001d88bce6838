# libholdfast.so.1: the C ABI over the same sources.
#
# libstdc++ and libgcc are linked statically: a C program, or an interpreter that loads the library, needs no C++ runtime.
# A program with another C++ runtime has no conflict either, because the version script exports only holdfast_*, and no
# exception or C++ type crosses the boundary. Sanitizers need the shared runtimes, so their builds link those.
add_library(
  holdfast_c SHARED
  src/c/callbacks.cpp src/c/guard.cpp src/c/handle_table.cpp src/c/handles.cpp src/c/listeners.cpp src/c/report.cpp
  src/c/requests.cpp src/c/resources.cpp src/c/sessions.cpp src/c/tasks.cpp src/c/thread_state.cpp
  src/c/work.cpp src/c/worker.cpp src/c/worker_use.cpp)
add_library(holdfast::c ALIAS holdfast_c)
set_target_properties(
  holdfast_c
  PROPERTIES OUTPUT_NAME holdfast
             VERSION 1.0.0
             SOVERSION 1
             CXX_EXTENSIONS OFF
             CXX_VISIBILITY_PRESET hidden
             VISIBILITY_INLINES_HIDDEN ON
             LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/c/holdfast.map
             LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_include_directories(
  holdfast_c
  PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  PRIVATE src ${CMAKE_CURRENT_BINARY_DIR}/src)
target_link_libraries(holdfast_c PRIVATE holdfast_options holdfast_sdk holdfast_wire)
# nodelete: threads of the library may still run when dlclose(3) is called.
target_link_options(
  holdfast_c PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/src/c/holdfast.map -Wl,-z,nodelete
  -Wl,-z,relro,-z,now)
if(NOT HOLDFAST_SANITIZE)
  target_link_options(holdfast_c PRIVATE -static-libstdc++ -static-libgcc -Wl,-z,defs)
endif()

add_subdirectory(node)
