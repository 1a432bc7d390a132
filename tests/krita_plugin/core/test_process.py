from scumble.core.process import clean_environment


def test_the_core_does_not_inherit_what_krita_set_for_itself():
    given = {
        "PYTHONPATH": "/krita/py",
        "LD_LIBRARY_PATH": "/krita/lib",
        "QT_QPA_PLATFORM": "xcb",
        "GST_PLUGIN_SYSTEM_PATH": "/krita/gst",
        "APPDIR": "/tmp/.mount_krita",
        "PATH": "/tmp/.mount_krita/usr/bin:/usr/bin",
        "HOME": "/home/me",
        "SCUMBLE_DATA_DIR": "/data",
    }
    assert clean_environment(given) == {
        "APPDIR": "/tmp/.mount_krita",
        "PATH": "/usr/bin",
        "XDG_DATA_DIRS": "",
        "HOME": "/home/me",
        "SCUMBLE_DATA_DIR": "/data",
    }
