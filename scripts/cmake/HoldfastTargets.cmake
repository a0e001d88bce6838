# The options of every target of the project, and the three functions that declare a target.

add_library(holdfast_options INTERFACE)
target_compile_features(holdfast_options INTERFACE cxx_std_20)
target_compile_options(
  holdfast_options
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror=return-type -Werror=switch
            $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast>)
if(HOLDFAST_WARNINGS_ARE_ERRORS)
  target_compile_options(holdfast_options INTERFACE -Werror)
endif()
if(HOLDFAST_SANITIZE)
  # A finding ends the program, or no test would notice it.
  target_compile_options(holdfast_options INTERFACE -fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all
                                                    -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # Of clang 14: it cannot compile coroutines with `function`; `vptr` needs a free descriptor for each check, and tests
    # take them all.
    target_compile_options(holdfast_options INTERFACE -fno-sanitize=function,vptr)
  endif()
  target_link_options(holdfast_options INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
endif()
if(HOLDFAST_STATIC_LIBRARIES)
  target_link_options(holdfast_options INTERFACE -static-libstdc++ -static-libgcc)
endif()

# Unity build: compiles the files of a target in batches of `size`, because most of the compile time of a file is its
# headers. A source file with its own options is compiled alone. HOLDFAST_UNITY=OFF compiles every file alone and so
# detects missing includes.
function(holdfast_compile_together name size)
  if(HOLDFAST_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${size})
  endif()
endfunction()

# holdfast_library(NAME SOURCES... [PUBLIC links...] [PRIVATE links...] [TOGETHER files])
function(holdfast_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TOGETHER" "SOURCES;PUBLIC;PRIVATE")
  add_library(${name} STATIC ${arg_SOURCES})
  if(NOT arg_TOGETHER)
    set(arg_TOGETHER 12)
  endif()
  holdfast_compile_together(${name} ${arg_TOGETHER})
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC}
                        PRIVATE $<BUILD_INTERFACE:holdfast_options> ${arg_PRIVATE})
endfunction()

# holdfast_program(NAME SOURCES... [LINKS ...])
function(holdfast_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
  target_link_libraries(${name} PRIVATE holdfast_options ${arg_LINKS})
endfunction()

# holdfast_test(NAME SOURCES... [LINKS ...] [LABELS label] [TIMEOUT seconds] [SERIAL])
# A GoogleTest program; each of its tests becomes a ctest test. It has one label, because gtest_discover_tests takes no
# list there; `ctest -L` matches part of a label, so "unit_threads" has both. SERIAL: no other test runs at the same time.
function(holdfast_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "SOURCES;LINKS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  holdfast_program(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  set(properties LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
  if(arg_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  holdfast_compile_together(${name} 8)
  include(GoogleTest)
  gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 60)
endfunction()
