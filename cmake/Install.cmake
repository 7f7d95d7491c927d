# `make install`: headers, the library, find_package(windlass), pkg-config, the program with a service of systemd's. What
# is installed may be moved as a whole, but for that service. Component `development` is everything but the program.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(windlass_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/windlass)
set(windlass_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS windlass EXPORT windlass-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/windlass DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
        FILES_MATCHING PATTERN "*.h")
install(EXPORT windlass-targets NAMESPACE windlass:: DESTINATION ${windlass_cmake_dir} COMPONENT development)

configure_package_config_file(cmake/windlass-config.cmake.in ${CMAKE_BINARY_DIR}/windlass-config.cmake
                              INSTALL_DESTINATION ${windlass_cmake_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/windlass-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/windlass-config.cmake ${CMAKE_BINARY_DIR}/windlass-config-version.cmake
        DESTINATION ${windlass_cmake_dir} COMPONENT development)

file(RELATIVE_PATH windlass_pc_to_prefix /${windlass_pc_dir} /)
string(REGEX REPLACE "/$" "" windlass_pc_to_prefix ${windlass_pc_to_prefix})
set(windlass_pc_isal "")
if(ISAL_FOUND)
  set(windlass_pc_isal " libisal")
endif()
configure_file(cmake/windlass.pc.in ${CMAKE_BINARY_DIR}/windlass.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/windlass.pc DESTINATION ${windlass_pc_dir} COMPONENT development)

if(WINDLASS_PROGRAM)
  install(TARGETS windlass_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  install(FILES windlass.reference.yml DESTINATION ${CMAKE_INSTALL_DATADIR}/windlass COMPONENT program)
  # It names the program by its full path, which is known only now.
  install(CODE "set(WINDLASS_PROGRAM_PATH \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/windlass)
                configure_file(${PROJECT_SOURCE_DIR}/packaging/windlass.service.in ${CMAKE_BINARY_DIR}/windlass.service @ONLY)"
          COMPONENT program)
  install(FILES ${CMAKE_BINARY_DIR}/windlass.service DESTINATION lib/systemd/system COMPONENT program)
endif()

# `make package`: Debian packages of the two components.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_NAME windlass)
set(CPACK_PACKAGE_CONTACT "the authors of Windlass")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL development)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libwindlass-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libssl-dev, zlib1g-dev, libfmt-dev, libsimdjson-dev")
if(ISAL_FOUND)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libisal-dev")
endif()
if(WINDLASS_PROGRAM)
  list(APPEND CPACK_COMPONENTS_ALL program)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME windlass)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION net)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
endif()
include(CPack)
