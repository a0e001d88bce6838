# cmake -DLIBRARY=... -DHEADER=... -DNM=... -P exports.cmake: checks that the library exports exactly the functions that
# the header declares, with the version HOLDFAST_1.0.
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${listed}")
foreach(line IN LISTS lines)
  if(line MATCHES " [TDBRVW] (holdfast_[a-z_]+)@@HOLDFAST_1\\.0$")
    list(APPEND exported ${CMAKE_MATCH_1})
  elseif(NOT line MATCHES " A HOLDFAST_1\\.0(@@HOLDFAST_1\\.0)?$")
    message(SEND_ERROR "exported, but not declared in holdfast.h: ${line}")
  endif()
endforeach()

# Removes comments and types, so that "int holdfast_ready(" is left of a declaration.
file(READ ${HEADER} header)
string(REGEX REPLACE "//[^\n]*" "" header "${header}")
string(REGEX MATCHALL "\n(int|const char\\*) holdfast_[a-z_]+\\(" declarations "${header}")
foreach(declaration IN LISTS declarations)
  string(REGEX MATCH "holdfast_[a-z_]+" name "${declaration}")
  list(APPEND declared ${name})
endforeach()

list(SORT exported)
list(SORT declared)
list(LENGTH declared count)
if(count LESS 50 OR NOT exported STREQUAL declared)
  message(SEND_ERROR "declared (${count}): ${declared}\nexported: ${exported}")
endif()
