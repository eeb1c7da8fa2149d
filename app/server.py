"""The app's server process: Streamlit's command, with the limits of ``guarded_server``.

``streamlit run`` by itself serves the app without them. Streamlit has no option for the server's
configuration, and takes the one that uvicorn has.
"""

import uvicorn
from streamlit.web.cli import main

from forecasts.common import guarded_server

if __name__ == "__main__":
    uvicorn.Config = guarded_server.Config  # type: ignore[assignment,misc]
    main(prog_name="streamlit")
