"""The script Streamlit runs for every page: look, navigation, and the boundary that errors stop at."""

import streamlit as st

from app.ui import failures, parts

st.set_page_config(page_title="dinoseek", layout="wide", initial_sidebar_state="collapsed")
st.html(f"<style>{parts.read('app.css')}</style>")
pages = [
    st.Page("views/search.py", title="Search", default=True),
    st.Page("views/instances.py", title="Instances", url_path="instances"),
    st.Page("views/library.py", title="Library", url_path="library"),
    st.Page("views/audits.py", title="Audits", url_path="audits"),
]
page = st.navigation(pages, position="hidden")
with st.container(key="header", horizontal=True, vertical_alignment="center"):
    st.html('<span class="brand">dinoseek</span>', width="content")
    for place in pages:
        st.page_link(place, width="content")
with failures.plainly():
    page.run()
