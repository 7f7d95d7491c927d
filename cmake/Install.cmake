# `make install`: headers, the library, find_package(windlass), pkg-config, the program.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS windlass EXPORT windlass-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/windlass DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT windlass-targets NAMESPACE windlass:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/windlass)
configure_package_config_file(cmake/windlass-config.cmake.in ${CMAKE_BINARY_DIR}/windlass-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/windlass)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/windlass-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/windlass-config.cmake ${CMAKE_BINARY_DIR}/windlass-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/windlass)
configure_file(cmake/windlass.pc.in ${CMAKE_BINARY_DIR}/windlass.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/windlass.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(WINDLASS_PROGRAM)
  install(TARGETS windlass_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
