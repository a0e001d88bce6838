# The installed packages: find_package(holdfast) provides holdfast::sdk (C++, static) and holdfast::c (libholdfast.so);
# pkg-config provides holdfast-sdk and holdfast.
include(CMakePackageConfigHelpers)

set_target_properties(holdfast_sdk PROPERTIES EXPORT_NAME sdk OUTPUT_NAME holdfast-sdk)
set_target_properties(holdfast_message PROPERTIES EXPORT_NAME message)
set_target_properties(holdfast_c PROPERTIES EXPORT_NAME c)

set(holdfast_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/holdfast)
install(TARGETS holdfast_sdk holdfast_message holdfast_c EXPORT holdfast COMPONENT sdk)
install(EXPORT holdfast NAMESPACE holdfast:: DESTINATION ${holdfast_package_dir} COMPONENT sdk)
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk)

file(
  WRITE ${CMAKE_CURRENT_BINARY_DIR}/holdfast-config.cmake
  "include(CMakeFindDependencyMacro)\nfind_dependency(Threads)\ninclude(\${CMAKE_CURRENT_LIST_DIR}/holdfast.cmake)\n")
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/holdfast-config-version.cmake
                                 VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/holdfast-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/holdfast-config-version.cmake
        DESTINATION ${holdfast_package_dir} COMPONENT sdk)

# Relative to the file: `cmake --install --prefix` may choose another place than the configuration.
file(RELATIVE_PATH HOLDFAST_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(package holdfast holdfast-sdk)
  configure_file(${package}.pc.in ${package}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${package}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
endforeach()

install(FILES python/holdfast.py DESTINATION ${CMAKE_INSTALL_DATADIR}/holdfast/python COMPONENT sdk)
foreach(page holdfast-sdk.3 holdfast-protocol.7)
  string(REGEX REPLACE ".*\\." "" section ${page})
  install(FILES ../man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT sdk)
endforeach()
