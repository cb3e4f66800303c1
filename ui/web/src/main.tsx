import './app/styles';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { installTestHook } from './app/testHook';

installTestHook();
const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
